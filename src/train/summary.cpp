#include "train/summary.h"

#include "base/counted.h"
#include "base/format.h"
#include "base/timing.h"
#include "data/model_fit.h"

namespace asap::train {

io::Json training_summary(const config::TrainConfig& config, const TrainingResult& result) {
  io::Json summary = {
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
       {{"parameters", result.parameters}, {"attention", config::to_json(config.model.attention)}}},
      {"memory", {{"peak_bytes", base::peak_memory_bytes()}}},
      {"config", config::to_json(config)}};
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

std::string training_text(const config::RunFolder& folder, const config::TrainConfig& config,
                          const TrainingResult& result) {
  return "test accuracy " + base::format_fixed(result.test.accuracy, 4) + ", loss " +
         base::format_fixed(result.test.loss, 4) + " after " + base::counted(result.steps, "step") +
         " (" + base::format_seconds(result.seconds) + ", " +
         base::format_count(static_cast<std::int64_t>(result.examples_per_second)) + " " +
         data::examples_name(data::examples_read_by(config.model.kind)) + "/s)\n" +
         (result.finished ? "run: " : "stopped early; continue with --resume. run: ") +
         folder.path().string() + "\n";
}

}  // namespace asap::train
