#include "asap_eval/commands.h"
#include "asap_eval/matcher_commands.h"
#include "asap_eval/model_flags.h"
#include "base/counted.h"
#include "base/files.h"
#include "cli/config.h"
#include "cli/job.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/version.h"
#include "evaluate/draw/paper_figures.h"
#include "evaluate/report/comparison_run.h"
#include "evaluate/report/report.h"
#include "infer/matcher.h"

namespace asap::asap_eval {
namespace {

class CompareCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* compare = program.add_subcommand(
        "compare", "Accuracy, agreement with the teacher, speed and plan error of every method.");
    model_.add_to(*compare);
    add_methods(*compare);
    compare
        ->add_option("--examples", examples_, "Use only the first N test examples; 0: all of them")
        ->type_name("N")
        ->check(cli::number_in(config::at_least(0)));
    compare
        ->add_option("--bench", bench_,
                     "Folder of asap-eval bench, whose times by number of tokens the report shows")
        ->type_name("DIR");
    compare
        ->add_option("--plot-library", plot_library_,
                     "d3.min.js for the report, or none; default: the environment variable "
                     "ASAP_D3, then Debian's node-d3 if it is installed")
        ->type_name("FILE");
    cascade_option_ =
        compare
            ->add_option("--cascade", cascade_,
                         "Also let the teacher run the examples again whose two largest outputs "
                         "are close, at most this share of those that choose the threshold; "
                         "without a value .05 or the bundle's")
            ->type_name("SHARE")
            ->expected(0, 1)
            ->check(cli::number_in(config::between(0, 1)));
    compare->add_flag(
        "--figures", figures_,
        "Also draw the figures for papers in figures/, as SVG and PNG (needs gnuplot)");
    add_matcher(*compare);
    cli::add_common_options(
        *compare, common_, "asap-eval",
        "asap-eval compare --run runs/fashion --compiled runs/operator --out runs/compare");
    return compare;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(evaluate::CompareConfig{});
  }

  bool works_in_ranks() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    distributed::Ranks& ranks = cli::prepare_ranks(common_);
    if (!model_.is_bundle() && infer::is_matcher_run(model_.path())) {
      matcher_.run = model_.path();
      matcher_.compiled = model_.compiled();
      matcher_.methods = methods_;
      matcher_.examples = examples_;
      return compare_matcher(common_, matcher_, ranks);
    }
    if (!matcher_.pairs.empty() || !matcher_.others.empty() || matcher_.threshold ||
        !matcher_.calibration.empty() || matcher_.iterations)
      throw base::UsageError(
          "--pairs, --also, --iterations, --calibration and --threshold are for runs of a matcher",
          "leave them out");
    const evaluate::CompareConfig defaults =
        evaluate::default_compare_config(model_.path(), model_.compiled());
    const evaluate::CompareConfig config = resolve(defaults);
    if (cli::dump_config(common_, config, defaults)) return;
    cli::require_same_command(ranks, config);
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    if (figures_) evaluate::require_gnuplot();
    const evaluate::PlotLibrary library = evaluate::find_plot_library(plot_library_);
    cli::RunHeader header(common_, "asap-eval compare", std::nullopt);
    cli::describe_ranks(ranks, common_.threads, header);
    model_.describe(header);

    cli::ProgressBar bar(common_, {.title = "compare", .item = "parts"});
    const auto show_progress = [&](std::int64_t done, std::int64_t total) {
      bar.set_total(total);
      bar.update(done);
    };
    evaluate::ReportData result = evaluate::compare_run(
        model_.path(), model_.compiled(), config, {common_.threads, ranks}, show_progress,
        [&](const data::Dataset& dataset) { describe_data(header, dataset); });
    bar.finish();
    if (!ranks.leads()) return;
    result.context.versions.emplace_back("SIMD", cli::simd_name());
    folder.begin();
    evaluate::write_report(out, result, library);
    if (figures_) evaluate::write_paper_figures(out / "figures", result);
    folder.finish(evaluate::comparison_summary(result.comparison, result.context),
                  evaluate::comparison_table(result.comparison) +
                      "report: " + (out / "report.html").string() + "\n");
  }

 private:
  static void describe_data(cli::RunHeader& header, const data::Dataset& dataset) {
    header.add("data",
               dataset.name + ": " +
                   base::counted_plural(dataset.size(),
                                        std::string("test ") + data::examples_name(dataset.kind)));
    if (!dataset.skipped.empty()) header.add("skipped", data::describe_skipped(dataset));
    if (!dataset.warning.empty()) header.add("warning", dataset.warning);
  }

  void add_methods(CLI::App& compare) {
    compare
        .add_option(
            "--methods", methods_,
            "teacher, teacher_log, softmax, sinkhorn:K, f0, compiled, compiled+K, compiled_bf16, "
            "sinkhorn_bf16:K, softmax_bf16, guarded, warm, espformer, separated by commas; "
            "sinkhorn:equal: the K that takes as long as the compiled operator; compiled@1, "
            "compiled@0-1, compiled@each: in these layers only; of matchers: network, teacher, "
            "sinkhorn:K, "
            "compiled, compiled+K, compiled+sparse:K, mutual, ratio:R, assignment:S")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    compare
        .add_option("--guard-quantile", guard_quantile_,
                    "guarded: leave a head to the teacher where the bound of its column error "
                    "exceeds this quantile of those on the calibration examples; default 0.99")
        ->type_name("Q")
        ->check(cli::number_in(config::between(0, 1)));
  }

  void add_matcher(CLI::App& compare) {
    const std::string group = "Matchers (model.kind=matcher)";
    compare
        .add_option("--pairs", matcher_.pairs,
                    "Files of pairs of keypoints, separated by commas; default: data.test of the "
                    "run")
        ->type_name("FILES")
        ->group(group);
    compare
        .add_option("--also", matcher_.others, "Run of another matcher to compare with; repeatable")
        ->type_name("RUN")
        ->allow_extra_args(false)
        ->group(group);
    compare
        .add_option("--iterations", matcher_.iterations,
                    "Iterations T of the teacher that methods are compared with; default: those "
                    "that the operator imitates, without one those of the training")
        ->type_name("T")
        ->check(CLI::Range(1, 10000))
        ->group(group);
    compare
        .add_option("--threshold", matcher_.threshold,
                    "Least confidence of a match of a network; default 0.4")
        ->type_name("P")
        ->check(cli::number_in(config::between(0, 1)))
        ->group(group);
    compare
        .add_option("--calibration", matcher_.calibration,
                    "File of pairs on which the threshold of each network is chosen, by F1: other "
                    "pairs than those compared on")
        ->type_name("FILE")
        ->group(group);
  }

  evaluate::CompareConfig resolve(const evaluate::CompareConfig& defaults) const {
    evaluate::CompareConfig config = cli::resolve_config(common_, defaults);
    if (!methods_.empty()) config.methods = methods_;
    if (examples_) config.examples = *examples_;
    if (guard_quantile_) config.guard_quantile = *guard_quantile_;
    if (!bench_.empty()) config.bench = bench_;
    if (cascade_option_->count() > 0) {
      config.cascade.all = true;
      if (cascade_) config.cascade.share = *cascade_;
    }
    return config;
  }

  cli::CommonOptions common_;
  ModelFlags model_;
  std::filesystem::path plot_library_;
  std::vector<std::string> methods_;
  std::optional<int> examples_;
  std::optional<double> guard_quantile_;
  CLI::Option* cascade_option_ = nullptr;
  std::optional<double> cascade_;
  std::string bench_;
  bool figures_ = false;
  MatcherCompareOptions matcher_;
};

}  // namespace

std::unique_ptr<cli::Command> compare_command() { return std::make_unique<CompareCommand>(); }

}  // namespace asap::asap_eval
