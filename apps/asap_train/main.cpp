// asap-train: trains a Transformer with softmax or Sinkhorn attention and leaves a run folder.
#include "base/format.h"
#include "cli/config.h"
#include "cli/interrupt.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "train/summary.h"
#include "train/trial_training.h"

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

void add_options(CLI::App& app, cli::CommonOptions& common, train::TrainerOptions& options,
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
  cli::add_common_options(
      app, common, "asap-train",
      "asap-train --config configs/train/fashion_mnist_sinkhorn.json --out runs/fashion");
}

/// Shows on the bar, and above it, what happens in the training.
void report_to(cli::ProgressBar& bar, train::TrainerOptions& options) {
  options.on_step = [&](const train::StepReport& report) {
    bar.update(report.step, {{"loss", report.outcome.loss},
                             {"accuracy", report.outcome.accuracy},
                             {"learning rate", report.learning_rate}});
  };
  options.on_resume = [&](std::int64_t step) {
    bar.start_from(step);
    bar.print_above(step > 0 ? "resuming after step " + base::format_count(step)
                             : "no checkpoint found; starting afresh");
  };
  options.on_test = [&](std::int64_t step, const train::TestReport& test) {
    bar.print_above("step " + base::format_count(step) + ": test accuracy " +
                    base::format_fixed(test.accuracy, 4) + ", loss " +
                    base::format_fixed(test.loss, 4));
  };
  options.on_note = [&](const std::string& text) { bar.print_above(text); };
}

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
      base::format_count(config.train.batch) + " " + config::examples_of(config.model.kind);
  const std::string losses = "loss " + base::format_fixed(result.first_loss, 4) + " to " +
                             base::format_fixed(result.loss, 4) + " in " +
                             base::format_count(result.steps) + " steps";
  if (!result.learned())
    throw base::NumericalError(
        "one batch of " + what + " was not learned by heart: accuracy " +
            base::format_fixed(result.accuracy, 4) + ", " + losses,
        "labels may be wrong, train.learning_rate too low or high, or the model too small");
  cli::print_summary(common,
                     {{"overfit",
                       {{"steps", result.steps},
                        {"first_loss", result.first_loss},
                        {"loss", result.loss},
                        {"accuracy", result.accuracy}}}},
                     "one batch of " + what + " is learned by heart: " + losses + "\n");
}

void run(const cli::Arguments& arguments) {
  cli::CommonOptions common;
  Trial trial;
  train::TrainerOptions options;
  std::string init_from;
  CLI::App app("Train a Transformer with doubly stochastic (Sinkhorn) or softmax attention.");
  add_trial_options(app, trial);
  add_options(app, common, options, init_from);
  arguments.parse(app, {{&app, config::list_fields(config::TrainConfig{})}});
  cli::configure_logging(common);

  config::TrainConfig config = cli::resolve_config(common, config::TrainConfig{});
  if (common.seed) config.seed = *common.seed;
  if (!init_from.empty()) config.train.init_from = init_from;
  const std::string source = common.config.empty() ? "configuration" : common.config.string();
  config.validate(source);
  if (cli::dump_config(common, config)) return;
  const config::RunFolder folder(trial ? common.out : common.required_out());
  cli::RunHeader header(common, "asap-train", config.seed);
  const data::Dataset train_data = data::load_dataset(
      config.data, data::Split::train, train::initial_text_codec(config, folder, options.resume));
  const data::Dataset test_data =
      data::load_dataset(config.data, data::Split::test, train_data.codec);
  config.model = data::fit_model_to_data(config.model, train_data, source);
  data::fit_model_to_data(config.model, test_data, source);
  const char* examples = config::examples_of(config.model.kind);
  const std::int64_t steps = train::planned_steps(config, train_data);
  header
      .add("data", train_data.name + ": " + base::format_count(train_data.size()) + " training, " +
                       base::format_count(test_data.size()) + " test " + examples)
      .add("model", config::describe_model(config.model));
  if (common.prints_text()) {
    const train::TrainingFootprint footprint =
        train::training_footprint(config, train_data, common.threads);
    header.add("parameters", base::format_count(footprint.parameters))
        .add("memory", base::format_bytes(footprint.bytes()) + " beside the data");
  }
  header.add("training", base::format_count(steps) + " steps of " +
                             std::to_string(config.train.batch) + " " + examples);

  if (trial.dry_run) return print_estimate(common, config, train_data, test_data);
  if (trial.overfit) return try_to_overfit(common, config, train_data);
  options.threads = common.threads;
  cli::ProgressBar bar(common, {.title = "train",
                                .item = examples,
                                .total = steps,
                                .items_per_step = static_cast<double>(config.train.batch)});
  report_to(bar, options);
  const cli::InterruptGuard interrupt;
  options.should_stop = [&] { return interrupt.interrupted(); };
  const train::TrainingResult result = train::train(config, folder, train_data, test_data, options);
  bar.finish();
  if (result.interrupted)
    interrupt.stop("interrupted after step " + base::format_count(result.steps) + " of " +
                   base::format_count(steps) +
                   "; everything is saved. Continue with: " + arguments.command_line("--resume"));
  cli::finish_with_summary(common, train::training_summary(config, result),
                           train::training_text(folder, config, result));
}

}  // namespace

int main(int argc, char** argv) { return cli::run_main("asap-train", argc, argv, run); }
