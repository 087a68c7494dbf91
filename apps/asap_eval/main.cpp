// asap-eval: judges a trained network with other attention in the place of its own, and what
// attention costs.
#include "asap_eval/bench_command.h"
#include "asap_eval/diagnose_command.h"
#include "asap_eval/export_command.h"
#include "asap_eval/regions_command.h"
#include "base/files.h"
#include "cli/config.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "cli/version.h"
#include "evaluate/draw/paper_figures.h"
#include "evaluate/report/comparison_run.h"
#include "evaluate/report/report.h"

using namespace asap;

namespace {

struct CompareArguments {
  cli::CommonOptions common;
  std::filesystem::path run, compiled;
  std::vector<std::string> methods;
  std::optional<int> examples;
  std::string bench;
  std::filesystem::path plot_library;
  bool figures = false;
};

void add_compare(CLI::App& app, CompareArguments& arguments) {
  CLI::App* compare = app.add_subcommand(
      "compare",
      "Accuracy, agreement with the teacher, speed and plan distance of attention methods.");
  compare->add_option("--run", arguments.run, "Run folder of asap-train")
      ->type_name("DIR")
      ->required();
  compare->add_option("--compiled", arguments.compiled, "Operator folder of asap-compile")
      ->type_name("DIR");
  compare
      ->add_option("--methods", arguments.methods,
                   "teacher, softmax, sinkhorn:K, f0, compiled, compiled+K, compiled_bf16, "
                   "espformer, separated by commas; "
                   "sinkhorn:equal: with the K that takes the compiled operator's time; "
                   "compiled@1, compiled@0-1, compiled@each: in these layers only")
      ->type_name("LIST")
      ->delimiter(',')
      ->allow_extra_args(false);
  compare->add_option("--examples", arguments.examples, "First so many test examples (0: all)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  compare
      ->add_option("--bench", arguments.bench,
                   "Folder of asap-eval bench: the report shows its times by number of tokens")
      ->type_name("DIR");
  compare
      ->add_option("--plot-library", arguments.plot_library,
                   "d3.min.js for the report, or none (default: Debian's node-d3, if installed; "
                   "environment variable ASAP_D3)")
      ->type_name("FILE");
  compare->add_flag("--figures", arguments.figures,
                    "Draw the figures for papers as well, SVG and PNG in figures/ (needs gnuplot)");
  cli::add_common_options(
      *compare, arguments.common, "asap-eval",
      "asap-eval compare --run runs/fashion --compiled runs/operator --out runs/compare");
}

void compare(const CompareArguments& arguments) {
  const cli::CommonOptions& common = arguments.common;
  cli::configure_logging(common);
  evaluate::CompareConfig config = cli::resolve_config(
      common, evaluate::default_compare_config(arguments.run, arguments.compiled));
  if (!arguments.methods.empty()) config.methods = arguments.methods;
  if (arguments.examples) config.examples = *arguments.examples;
  if (!arguments.bench.empty()) config.bench = arguments.bench;
  if (cli::dump_config(common, config,
                       evaluate::default_compare_config(arguments.run, arguments.compiled)))
    return;
  const std::filesystem::path& out = common.required_out();
  if (arguments.figures) evaluate::require_gnuplot();
  const evaluate::PlotLibrary library = evaluate::find_plot_library(arguments.plot_library);
  cli::RunHeader header(common, "asap-eval compare", std::nullopt);
  header.add_run(arguments.run);
  if (!arguments.compiled.empty()) header.add("operator", arguments.compiled.string());

  cli::ProgressBar bar(common, {.title = "compare", .item = "parts"});
  evaluate::ReportData result =
      evaluate::compare_run(arguments.run, arguments.compiled, config, common.threads,
                            [&](std::int64_t done, std::int64_t total) {
                              bar.set_total(total);
                              bar.update(done);
                            });
  bar.finish();
  result.context.versions.emplace_back("SIMD", cli::simd_name());
  base::make_directories(out);
  evaluate::write_report(out, result, library);
  if (arguments.figures) evaluate::write_paper_figures(out / "figures", result);
  cli::finish_with_summary(common, evaluate::comparison_summary(result.comparison, result.context),
                           evaluate::comparison_table(result.comparison) +
                               "report: " + (out / "report.html").string() + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_main("asap-eval", argc, argv, [](const cli::Arguments& words) {
    CLI::App app("Judge attention: in the place of a trained network's own, and by its cost.");
    CompareArguments arguments;
    add_compare(app, arguments);
    BenchCommand bench_command;
    const CLI::App* bench = bench_command.add_to(app);
    DiagnoseCommand diagnose_command;
    const CLI::App* diagnose = diagnose_command.add_to(app);
    RegionsCommand regions_command;
    const CLI::App* regions = regions_command.add_to(app);
    ExportCommand export_command;
    const CLI::App* exporting = export_command.add_to(app);
    cli::add_information_options(app, "asap-eval");
    app.require_subcommand(1);
    words.parse(app,
                {{app.get_subcommand("compare"), config::list_fields(evaluate::CompareConfig{})},
                 {bench, BenchCommand::keys()},
                 {diagnose, DiagnoseCommand::keys()},
                 {regions, RegionsCommand::keys()}});
    if (bench->parsed())
      bench_command.run();
    else if (diagnose->parsed())
      diagnose_command.run();
    else if (regions->parsed())
      regions_command.run();
    else if (exporting->parsed())
      export_command.run();
    else
      compare(arguments);
  });
}
