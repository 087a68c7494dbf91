#include "train/summary.h"

#include "base/format.h"
#include "base/timing.h"

namespace asap {

Json training_summary(const TrainConfig& config, const TrainingResult& result) {
  Json summary = {
      {"train",
       {{"steps", result.steps},
        {"total_steps", result.total_steps},
        {"finished", result.finished},
        {"skipped_steps", result.skipped_steps},
        {"rollbacks", result.rollbacks},
        {"loss", result.train_loss},
        {"seconds", result.seconds},
        {"examples_per_second", result.examples_per_second},
        {"step_peak_bytes", result.step_peak_bytes}}},
      {"test", {{"accuracy", result.test.accuracy}, {"loss", result.test.loss}}},
      {"model",
       {{"parameters", result.parameters}, {"attention", to_json(config.model.attention)}}},
      {"memory", {{"peak_bytes", peak_memory_bytes()}}},
      {"config", to_json(config)}};
  if (!result.initial.fingerprint.empty())
    summary["initial_weights"] = {{"run", config.train.init_from},
                                  {"fingerprint", result.initial.fingerprint},
                                  {"fresh", result.initial.fresh}};
  if (result.best)
    summary["best"] = {{"step", result.best->step},
                       {"accuracy", result.best->accuracy},
                       {"loss", result.best->loss}};
  return summary;
}

std::string training_text(const RunFolder& folder, const TrainConfig& config,
                          const TrainingResult& result) {
  return "test accuracy " + format_fixed(result.test.accuracy, 4) + ", loss " +
         format_fixed(result.test.loss, 4) + " after " + format_count(result.steps) + " steps (" +
         format_seconds(result.seconds) + ", " +
         format_count(static_cast<std::int64_t>(result.examples_per_second)) + " " +
         examples_of(config.model.kind) + "/s)\n" +
         (result.finished ? "run: " : "stopped early; continue with --resume. run: ") +
         folder.path().string() + "\n";
}

}  // namespace asap
