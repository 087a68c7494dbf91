#include "asap_eval/commands.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/run_header.h"
#include "cli/version.h"
#include "evaluate/report/drift_report.h"
#include "evaluate/study/drift_run.h"

namespace asap::asap_eval {
namespace {

class DriftCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* drift = program.add_subcommand(
        "drift",
        "Whether unlabelled inputs look like those that a compiled operator was calibrated on.");
    drift->add_option("--run", run_, "Run folder of asap-train")->type_name("DIR")->required();
    drift->add_option("--compiled", compiled_, "Operator folder of asap-compile")
        ->type_name("DIR")
        ->required();
    drift->add_option("--examples", examples_, "Draw N of the test examples; 0: all of them")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber);
    cli::add_common_options(
        *drift, common_, "asap-eval",
        "asap-eval drift --run runs/fashion --compiled runs/operator --out runs/drift");
    return drift;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(evaluate::DriftConfig{});
  }

  void run() override {
    cli::configure_logging(common_);
    evaluate::DriftConfig config =
        cli::resolve_config(common_, evaluate::default_drift_config(run_));
    if (examples_) config.examples = *examples_;
    if (cli::dump_config(common_, config, evaluate::default_drift_config(run_))) return;
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    const evaluate::PlotLibrary library = evaluate::find_plot_library();
    cli::RunHeader header(common_, "asap-eval drift", std::nullopt);
    header.add_run(run_);
    header.add("operator", compiled_.string());

    evaluate::DriftRun result = evaluate::drift_run(run_, compiled_, config, common_.threads);
    result.context.versions.emplace_back("SIMD", cli::simd_name());
    folder.begin();
    evaluate::write_drift(out, result.drift, result.context, library);
    folder.finish(
        evaluate::drift_summary(result.drift, result.context),
        evaluate::drift_table(result.drift) + "report: " + (out / "report.html").string() + "\n");
  }

 private:
  cli::CommonOptions common_;
  std::filesystem::path run_, compiled_;
  std::optional<int> examples_;
};

}  // namespace

std::unique_ptr<cli::Command> drift_command() { return std::make_unique<DriftCommand>(); }

}  // namespace asap::asap_eval
