// asap-train: trains a Transformer with softmax or Sinkhorn attention and leaves a run folder.
#include "base/format.h"
#include "cli/config.h"
#include "cli/interrupt.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "train/summary.h"
#include "train/trial_training.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"

using namespace asap;

namespace {

/// What is done in the place of a training.
struct Trial {
  bool dry_run = false, overfit = false;
  explicit operator bool() const { return dry_run || overfit; }
};

void add_trial_options(CLI::App& app, Trial& trial) {
  CLI::Option* dry_run = app.add_flag(
      "--dry-run", trial.dry_run,
      "Say what the training will take, in time and memory, from a few steps; writes nothing");
  dry_run->group("Before training");
  app.add_flag("--overfit-one-batch", trial.overfit,
               "Check that one batch can be learned by heart, then stop; writes nothing")
      ->excludes(dry_run)
      ->group("Before training");
}

void add_options(CLI::App& app, CommonOptions& common, TrainerOptions& options,
                 std::string& init_from) {
  const std::string group = "Training";
  CLI::Option* resume = app.add_flag(
      "--resume", options.resume,
      "Continue from the newest checkpoint of --out, or start afresh when there is none");
  resume->group(group);
  app.add_option("--allow", options.allowed_changes,
                 "With --resume: a key, or a group of them, that may differ from before")
      ->type_name("KEY")
      ->allow_extra_args(false)
      ->needs(resume)
      ->group(group);
  app.add_option("--max-steps", options.stop_after,
                 "Stop, with a checkpoint, once so many steps are done; 0: train to the end")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->default_str("0")
      ->group(group);
  app.add_option("--init-from", init_from,
                 "Start from the weights of another run: same model, but any attention, and "
                 "other classes get a fresh classifier")
      ->type_name("RUN")
      ->group(group);
  add_common_options(
      app, common, "asap-train",
      "asap-train --config configs/train/fashion_mnist_sinkhorn.json --out runs/fashion");
}

/// Shows on the bar, and above it, what happens in the training.
void report_to(ProgressBar& bar, TrainerOptions& options) {
  options.on_step = [&](const StepReport& report) {
    bar.update(report.step, {{"loss", report.outcome.loss},
                             {"accuracy", report.outcome.accuracy},
                             {"learning rate", report.learning_rate}});
  };
  options.on_resume = [&](std::int64_t step) {
    bar.start_from(step);
    bar.print_above(step > 0 ? "resuming after step " + format_count(step)
                             : "no checkpoint found; starting afresh");
  };
  options.on_test = [&](std::int64_t step, const TestReport& test) {
    bar.print_above("step " + format_count(step) + ": test accuracy " +
                    format_fixed(test.accuracy, 4) + ", loss " + format_fixed(test.loss, 4));
  };
  options.on_note = [&](const std::string& text) { bar.print_above(text); };
}

void print_estimate(const CommonOptions& common, const TrainConfig& config,
                    const Dataset& train_data, const Dataset& test_data) {
  const TrainingEstimate estimate =
      estimate_training(config, train_data, test_data, common.threads);
  const std::string text = "steps       " + format_count(estimate.steps) + ", " +
                           format_fixed(1e3 * estimate.seconds_per_step, 2) + " ms each (mean of " +
                           format_count(estimate.measured_steps) + ")\n" + "time        " +
                           format_seconds(estimate.seconds()) + ", tests included\n" +
                           "memory      " + format_bytes(estimate.peak_bytes) +
                           ", data included; a step's values and gradients " +
                           format_bytes(estimate.step_peak_bytes) + "\n";
  print_summary(common,
                {{"estimate",
                  {{"steps", estimate.steps},
                   {"measured_steps", estimate.measured_steps},
                   {"seconds_per_step", estimate.seconds_per_step},
                   {"seconds", estimate.seconds()},
                   {"step_peak_bytes", estimate.step_peak_bytes},
                   {"peak_bytes", estimate.peak_bytes}}},
                 {"config", to_json(config)}},
                text);
}

void try_to_overfit(const CommonOptions& common, const TrainConfig& config,
                    const Dataset& train_data) {
  constexpr std::int64_t kMostSteps = 1000;
  ProgressBar bar(common, {.title = "overfit", .item = "steps", .total = kMostSteps});
  const OverfitResult result = overfit_one_batch(
      config, train_data, common.threads, kMostSteps, [&](const OverfitResult& now) {
        bar.update(now.steps, {{"loss", now.loss}, {"accuracy", now.accuracy}});
      });
  bar.finish();
  const std::string what = format_count(config.train.batch) + " " + examples_of(config.model.kind);
  const std::string losses = "loss " + format_fixed(result.first_loss, 4) + " to " +
                             format_fixed(result.loss, 4) + " in " + format_count(result.steps) +
                             " steps";
  if (!result.learned())
    throw NumericalError(
        "one batch of " + what + " was not learned by heart: accuracy " +
            format_fixed(result.accuracy, 4) + ", " + losses,
        "labels may be wrong, train.learning_rate too low or high, or the model too small");
  print_summary(common,
                {{"overfit",
                  {{"steps", result.steps},
                   {"first_loss", result.first_loss},
                   {"loss", result.loss},
                   {"accuracy", result.accuracy}}}},
                "one batch of " + what + " is learned by heart: " + losses + "\n");
}

void run(const Arguments& arguments) {
  CommonOptions common;
  Trial trial;
  TrainerOptions options;
  std::string init_from;
  CLI::App app("Train a Transformer with doubly stochastic (Sinkhorn) or softmax attention.");
  add_trial_options(app, trial);
  add_options(app, common, options, init_from);
  arguments.parse(app, {{&app, list_fields(TrainConfig{})}});
  configure_logging(common);

  TrainConfig config = resolve_config(common, TrainConfig{});
  if (common.seed) config.seed = *common.seed;
  if (!init_from.empty()) config.train.init_from = init_from;
  const std::string source = common.config.empty() ? "configuration" : common.config.string();
  config.validate(source);
  if (dump_config(common, config)) return;
  const RunFolder folder(trial ? common.out : common.required_out());
  RunHeader header(common, "asap-train", config.seed);
  const Dataset train_data =
      load_dataset(config.data, Split::train, initial_text_codec(config, folder, options.resume));
  const Dataset test_data = load_dataset(config.data, Split::test, train_data.codec);
  config.model = fit_model_to_data(config.model, train_data, source);
  fit_model_to_data(config.model, test_data, source);
  const char* examples = examples_of(config.model.kind);
  const std::int64_t steps = planned_steps(config, train_data);
  header
      .add("data", train_data.name + ": " + format_count(train_data.size()) + " training, " +
                       format_count(test_data.size()) + " test " + examples)
      .add("model", describe_model(config.model));
  if (common.prints_text()) {
    const TrainingFootprint footprint = training_footprint(config, train_data, common.threads);
    header.add("parameters", format_count(footprint.parameters))
        .add("memory", format_bytes(footprint.bytes()) + " beside the data");
  }
  header.add("training", format_count(steps) + " steps of " + std::to_string(config.train.batch) +
                             " " + examples);

  if (trial.dry_run) return print_estimate(common, config, train_data, test_data);
  if (trial.overfit) return try_to_overfit(common, config, train_data);
  options.threads = common.threads;
  ProgressBar bar(common, {.title = "train",
                           .item = examples,
                           .total = steps,
                           .items_per_step = static_cast<double>(config.train.batch)});
  report_to(bar, options);
  const InterruptGuard interrupt;
  options.should_stop = [&] { return interrupt.interrupted(); };
  const TrainingResult result = train(config, folder, train_data, test_data, options);
  bar.finish();
  if (result.interrupted)
    interrupt.stop("interrupted after step " + format_count(result.steps) + " of " +
                   format_count(steps) +
                   "; everything is saved. Continue with: " + arguments.command_line("--resume"));
  finish_with_summary(common, training_summary(config, result),
                      training_text(folder, config, result));
}

}  // namespace

int main(int argc, char** argv) { return run_main("asap-train", argc, argv, run); }
