#pragma once

#include <filesystem>

#include "config/data_config.h"
#include "evaluate/compare/report_context.h"
#include "evaluate/study/diagnosis.h"

namespace asap::evaluate {

/// The configuration of asap-eval diagnose.
struct DiagnoseConfig {
  std::vector<std::string>
      methods;  ///< default: teacher, softmax and, with an operator, compiled, compiled+3
  int examples = 128;
  int iterations = 20;
  config::DataConfig data;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("methods", methods, "as in asap-eval compare");
    v.field("examples", examples, "use only the first N test examples; 0: all",
            config::at_least(0));
    v.field("iterations", iterations, "Sinkhorn iterations up to which column errors are followed",
            config::between(0, 1000));
    v.group("data", data, "the test data; the run's own unless changed");
  }
};

/// The defaults for a run or a bundle and its operator, if there is one (else empty).
DiagnoseConfig default_diagnose_config(const std::filesystem::path& path,
                                       const std::filesystem::path& compiled);

/// A diagnosis with what its report says about it.
struct DiagnosisRun {
  Diagnosis diagnosis;
  ReportContext context;
};

/// Loads as load_evaluated_run, and diagnoses.
DiagnosisRun diagnose_run(const std::filesystem::path& path, const std::filesystem::path& compiled,
                          const DiagnoseConfig& config, int threads);

}  // namespace asap::evaluate
