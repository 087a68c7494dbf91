// asap-train: trains a Transformer with softmax or Sinkhorn attention and leaves a run folder.
#include "base/format.h"
#include "cli/config.h"
#include "cli/interrupt.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "train/summary.h"

using namespace asap;

namespace {

void add_options(CLI::App& app, CommonOptions& common, TrainerOptions& options,
                 std::string& init_from) {
  CLI::Option* resume = app.add_flag(
      "--resume", options.resume,
      "Continue from the newest checkpoint of --out, or start afresh when there is none");
  app.add_option(
         "--allow", options.allowed_changes,
         "With --resume: a field, or a group of them, that may differ from before; repeatable")
      ->type_name("KEY")
      ->allow_extra_args(false)
      ->needs(resume);
  app.add_option("--max-steps", options.stop_after,
                 "Stop, with a checkpoint, once so many steps are done (0: train to the end)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--init-from", init_from,
                 "Start from the weights of another run: same model, but any attention, and "
                 "other classes get a fresh classifier")
      ->type_name("RUN");
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

void run(const Arguments& arguments) {
  CommonOptions common;
  TrainerOptions options;
  std::string init_from;
  CLI::App app("Train a Transformer with doubly stochastic (Sinkhorn) or softmax attention.");
  add_options(app, common, options, init_from);
  arguments.parse(app);
  configure_logging(common);

  TrainConfig config = resolve_config(common, TrainConfig{});
  if (common.seed) config.seed = *common.seed;
  if (!init_from.empty()) config.train.init_from = init_from;
  const std::string source = common.config.empty() ? "configuration" : common.config.string();
  config.validate(source);
  if (dump_config(common, config)) return;
  const RunFolder folder(common.required_out());
  const Dataset train_data =
      load_dataset(config.data, Split::train, initial_text_codec(config, folder, options.resume));
  const Dataset test_data = load_dataset(config.data, Split::test, train_data.codec);
  config.model = fit_model_to_data(config.model, train_data, source);
  fit_model_to_data(config.model, test_data, source);
  const char* examples = examples_of(config.model.kind);
  const std::int64_t steps = planned_steps(config, train_data);
  if (common.prints_text())
    std::cerr << RunHeader("asap-train")
                     .add("data", train_data.name + ": " + format_count(train_data.size()) +
                                      " training, " + format_count(test_data.size()) + " test " +
                                      examples)
                     .add("model", describe_model(config.model))
                     .add("training", format_count(steps) + " steps of " +
                                          std::to_string(config.train.batch) + " " + examples)
                     .add_machine(common, config.seed)
                     .text();

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
