#include "asap_compile/matcher_compile.h"

#include "base/counted.h"
#include "base/format.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "cli/allowed_options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "compile/compile_matcher.h"
#include "data/keypoint_files.h"

namespace asap::asap_compile {
namespace {

std::filesystem::path pairs_file(const MatcherCompileOptions& options) {
  const bool own = options.pairs.empty();
  const std::vector<std::filesystem::path> files = data::find_keypoint_files(
      own ? infer::read_matcher_config(options.run).data.train : options.pairs,
      own ? "`data.train` of the run" : "--pairs");
  if (files.size() != 1)
    throw base::UsageError("--pairs: one file to compile from is needed", "give --pairs FILE");
  return files[0];
}

std::string matcher_text(const compile::CompiledMatcher& model, double seconds) {
  base::Table table({{"method", base::Table::Align::left}, {"plan L1"}, {"column error"}});
  const auto add = [&](const std::string& name, const compile::TransportFitEvidence& evidence) {
    table.add_row({name, base::format_fixed(evidence.plan_l1(), 4),
                   base::format_fixed(evidence.column_error(), 4)});
  };
  add("compiled", model.closed);
  add("compiled+1", model.iterated);
  return "dual R2 " + base::format_fixed(model.closed.dual_r2(), 4) +
         ", teacher T = " + std::to_string(model.artefact.teacher_iterations) + "\n" +
         table.text() + "fitted on " + base::counted(model.points, "keypoint") + " of " +
         base::counted(model.artefact.calibration_pairs, "pair") + ", measured on " +
         base::counted(model.closed.problems(), "pair") + " that the fit has not seen; " +
         base::format_seconds(seconds) + "\n";
}

}  // namespace

void compile_matcher_run(const cli::CommonOptions& common, const MatcherCompileOptions& options) {
  cli::allow_only(common, {"--run", "--pairs", "--calibration", "--iterations"},
                  "runs of a matcher");
  cli::OutputFolder folder(common);
  const base::Stopwatch watch;
  cli::RunHeader header(common, "asap-compile", std::nullopt);
  const infer::Matcher matcher = infer::Matcher::load(options.run);
  header.add("model", config::describe_matcher(matcher.config()));
  const data::KeypointPairs pairs =
      data::KeypointPairs::read(pairs_file(options), matcher.config().descriptors);
  header.add("data", pairs.source() + ": " + base::counted(pairs.size(), "pair"));
  cli::ProgressBar bar(common, {.title = "compile", .item = "pairs"});
  const compile::CompiledMatcher model =
      compile::compile_matcher(matcher, pairs,
                               {.calibration = options.calibration.value_or(0),
                                .iterations = options.iterations.value_or(0),
                                .threads = common.threads},
                               [&](std::int64_t done, std::int64_t total) {
                                 bar.set_total(total);
                                 bar.update(done);
                               });
  bar.finish();
  folder.begin();
  compile::save_transport(folder.path(), model.artefact);
  folder.finish({{"run", options.run.string()},
                 {"model_fingerprint", matcher.fingerprint()},
                 {"calibration_source", model.artefact.calibration_source},
                 {"calibration_pairs", model.artefact.calibration_pairs},
                 {"calibration_keypoints", model.points},
                 {"teacher_iterations", model.artefact.teacher_iterations},
                 {"evidence", model.artefact.evidence},
                 {"seconds", watch.seconds()}},
                matcher_text(model, watch.seconds()));
}

}  // namespace asap::asap_compile
