#include "asap_train/training_progress.h"

#include "base/format.h"

namespace asap::asap_train {

void report_to(cli::ProgressBar& bar, train::TrainerOptions& options) {
  if (!options.team.ranks->leads()) return;
  options.on_step = [&, several = options.team.ranks->size() > 1](const train::StepReport& report) {
    std::vector<cli::ProgressField> fields{{"loss", report.outcome.loss},
                                           {"accuracy", report.outcome.accuracy},
                                           {"learning rate", report.learning_rate}};
    const train::StepReports& ranks = report.outcome.reports;
    if (several && report.seconds > 0)
      fields.push_back({"slowest rank " + std::to_string(ranks.slowest_rank) + " computes",
                        ranks.slowest_seconds / report.seconds});
    bar.update(report.step, std::move(fields));
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

void mirror_metrics(io::EventMirror& mirror, train::TrainerOptions& options) {
  options.on_step = [&mirror, next = options.on_step](const train::StepReport& report) {
    mirror.update();
    if (next) next(report);
  };
  options.on_test = [&mirror, next = options.on_test](std::int64_t step,
                                                      const train::TestReport& test) {
    mirror.update();
    if (next) next(step, test);
  };
}

void stop_interrupted(const cli::InterruptGuard& interrupt, std::int64_t steps,
                      std::int64_t total) {
  interrupt.stop("interrupted after step " + base::format_count(steps) + " of " +
                     base::format_count(total) + "; everything is saved",
                 "--resume");
}

}  // namespace asap::asap_train
