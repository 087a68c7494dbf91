#include "asap_eval/commands.h"
#include "asap_eval/model_flags.h"
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
    model_.add_to(*drift);
    drift->add_option("--examples", examples_, "Draw N of the test examples; 0: all of them")
        ->type_name("N")
        ->check(cli::number_in(config::at_least(0)));
    cli::add_common_options(
        *drift, common_, "asap-eval",
        "asap-eval drift --run runs/fashion --compiled runs/operator --out runs/drift");
    return drift;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(evaluate::DriftConfig{});
  }

  bool draws_random_numbers() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    const evaluate::DriftConfig defaults = evaluate::default_drift_config(model_.path());
    evaluate::DriftConfig config = cli::resolve_config(common_, defaults);
    if (examples_) config.examples = *examples_;
    if (common_.seed) config.seed = *common_.seed;
    if (cli::dump_config(common_, config, defaults)) return;
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    const evaluate::PlotLibrary library = evaluate::find_plot_library();
    cli::RunHeader header(common_, "asap-eval drift", std::nullopt);
    model_.describe(header);

    evaluate::DriftRun result =
        evaluate::drift_run(model_.path(), model_.compiled(), config, common_.threads);
    result.context.versions.emplace_back("SIMD", cli::simd_name());
    folder.begin();
    evaluate::write_drift(out, result.drift, result.context, library);
    folder.finish(
        evaluate::drift_summary(result.drift, result.context),
        evaluate::drift_table(result.drift) + "report: " + (out / "report.html").string() + "\n");
  }

 private:
  cli::CommonOptions common_;
  ModelFlags model_;
  std::optional<int> examples_;
};

}  // namespace

std::unique_ptr<cli::Command> drift_command() { return std::make_unique<DriftCommand>(); }

}  // namespace asap::asap_eval
