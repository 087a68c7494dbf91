#pragma once

#include <filesystem>
#include <functional>

#include "config/data_config.h"
#include "data/dataset.h"
#include "evaluate/compare/cascade.h"
#include "evaluate/report/report_data.h"

namespace asap::evaluate {

/// The configuration of asap-eval compare.
struct CompareConfig {
  std::vector<std::string> methods;  ///< empty: default_methods
  int examples = 0;
  int fidelity_examples = 128;
  int evidence_examples = 0;
  int shown_examples = 6;
  double guard_quantile = 0.99;
  std::string bench;
  CascadeConfig cascade;
  config::DataConfig data;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field(
        "methods", methods,
        "teacher, softmax, sinkhorn:K, sinkhorn:equal (the K that takes the compiled operator's "
        "time), f0, compiled, compiled+K, compiled_bf16, sinkhorn_bf16:K, softmax_bf16, guarded, "
        "warm, espformer; "
        "compiled:cascade; "
        "with @LAYER, "
        "@FIRST-LAST or @each behind it to replace only these layers; empty: a default selection");
    v.field("examples", examples, "use only the first N test examples; 0: all",
            config::at_least(0));
    v.field("fidelity_examples", fidelity_examples, "examples on which plans are compared",
            config::between(1, 1'000'000));
    v.field("evidence_examples", evidence_examples,
            "test examples on which the operator's predicted duals are measured; 0: none",
            config::between(0, 1'000'000));
    v.field("shown_examples", shown_examples,
            "test examples whose attention plans the report shows; 0: none",
            config::between(0, 100));
    v.field(
        "guard_quantile", guard_quantile,
        "guarded: a head is left to the teacher where the bound of its column error exceeds this "
        "quantile of those on the operator's calibration examples",
        config::between(0, 1));
    v.field(
        "bench", bench,
        "folder of asap-eval bench whose times by number of tokens the report shows; empty: none");
    v.group("cascade", cascade,
            "methods named :cascade: the teacher runs examples again whose two largest logits are "
            "close");
    v.group("data", data, "the test data; the run's own unless changed");
  }
};

/// The defaults for a run or a bundle and its compiled operator, if there is one (else empty): all
/// methods that make sense, on the test examples of its own data.
CompareConfig default_compare_config(const std::filesystem::path& path,
                                     const std::filesystem::path& compiled);

/// Loads as load_evaluated_run the network of a run or a bundle, the operator and the test
/// examples, compares, and collects what the report shows besides. `on_data` receives the test
/// examples before the comparison begins. Of several ranks, the first alone collects what only the
/// report shows. DataError when the operator was
/// compiled for another model or the bench folder holds no measurement; otherwise as
/// compare_methods.
ReportData compare_run(const std::filesystem::path& path, const std::filesystem::path& compiled,
                       const CompareConfig& config, const distributed::Workers& workers,
                       const ProgressCallback& progress = {},
                       const std::function<void(const data::Dataset&)>& on_data = {});

}  // namespace asap::evaluate
