#include "asap_train/trials.h"

#include "base/counted.h"
#include "base/format.h"
#include "cli/progress.h"
#include "cli/summary.h"
#include "train/trial_training.h"

namespace asap::asap_train {

void print_estimate(const cli::CommonOptions& common, const config::TrainConfig& config,
                    const data::Dataset& train_data, const data::Dataset& test_data) {
  const train::TrainingEstimate estimate =
      train::estimate_training(config, train_data, test_data, common.threads);
  const std::string text =
      "steps       " + base::format_count(estimate.steps) + ", " +
      base::format_fixed(1e3 * estimate.seconds_per_step, 2) + " ms each (mean of " +
      base::format_count(estimate.measured_steps) + ")\n" + "time        " +
      base::format_seconds(estimate.seconds()) + ", tests included\n" + "memory      " +
      base::format_bytes(estimate.peak_bytes) + ", data included; a step's values and gradients " +
      base::format_bytes(estimate.step_peak_bytes) + "\n";
  cli::print_summary(common,
                     {{"estimate",
                       {{"steps", estimate.steps},
                        {"measured_steps", estimate.measured_steps},
                        {"seconds_per_step", estimate.seconds_per_step},
                        {"seconds", estimate.seconds()},
                        {"step_peak_bytes", estimate.step_peak_bytes},
                        {"peak_bytes", estimate.peak_bytes}}},
                      {"config", config::to_json(config)}},
                     text);
}

void try_to_overfit(const cli::CommonOptions& common, const config::TrainConfig& config,
                    const data::Dataset& train_data) {
  constexpr std::int64_t kMostSteps = 1000;
  cli::ProgressBar bar(common, {.title = "overfit", .item = "steps", .total = kMostSteps});
  const train::OverfitResult result = train::overfit_one_batch(
      config, train_data, common.threads, kMostSteps, [&](const train::OverfitResult& now) {
        bar.update(now.steps, {{"loss", now.loss}, {"accuracy", now.accuracy}});
      });
  bar.finish();
  const std::string what =
      base::counted_plural(config.train.batch, data::examples_name(train_data.kind));
  const std::string losses = "loss " + base::format_fixed(result.first_loss, 4) + " to " +
                             base::format_fixed(result.loss, 4) + " in " +
                             base::counted(result.steps, "step");
  if (!result.learned())
    throw base::NumericalError(
        "the model did not memorise one batch of " + what + ": accuracy " +
            base::format_fixed(result.accuracy, 4) + ", " + losses,
        "labels may be wrong, train.learning_rate too low or high, or the model too small");
  cli::print_summary(common,
                     {{"overfit",
                       {{"steps", result.steps},
                        {"first_loss", result.first_loss},
                        {"loss", result.loss},
                        {"accuracy", result.accuracy}}}},
                     "the model memorised one batch of " + what + ": " + losses + "\n");
}

}  // namespace asap::asap_train
