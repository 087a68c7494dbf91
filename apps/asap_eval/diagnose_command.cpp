#include "asap_eval/commands.h"
#include "asap_eval/model_flags.h"
#include "base/files.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/run_header.h"
#include "cli/version.h"
#include "evaluate/report/diagnosis_report.h"
#include "evaluate/study/diagnosis_run.h"

namespace asap::asap_eval {
namespace {

class DiagnoseCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* diagnose = program.add_subcommand(
        "diagnose",
        "Attention sinks, entropy, rank collapse, score ranges and column errors of every head.");
    model_.add_to(*diagnose);
    diagnose->add_option("--methods", methods_, "Methods, named as in asap-eval compare")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    diagnose
        ->add_option("--examples", examples_, "Use only the first N test examples; 0: all of them")
        ->type_name("N")
        ->check(cli::number_in(config::at_least(0)));
    diagnose
        ->add_option("--iterations", iterations_,
                     "Measure column errors after 1 to T Sinkhorn iterations")
        ->type_name("T")
        ->check(cli::number_in(config::at_least(0)));
    diagnose->add_flag(
        "--figures", figures_,
        "Also draw the figures for papers in figures/, as SVG and PNG (needs gnuplot)");
    cli::add_common_options(
        *diagnose, common_, "asap-eval",
        "asap-eval diagnose --run runs/fashion --compiled runs/operator --out runs/diagnosis");
    return diagnose;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(evaluate::DiagnoseConfig{});
  }

  void run() override {
    cli::configure_logging(common_);
    const evaluate::DiagnoseConfig defaults =
        evaluate::default_diagnose_config(model_.path(), model_.compiled());
    evaluate::DiagnoseConfig config = cli::resolve_config(common_, defaults);
    if (!methods_.empty()) config.methods = methods_;
    if (examples_) config.examples = *examples_;
    if (iterations_) config::set_field(config, "iterations=" + std::to_string(*iterations_));
    if (cli::dump_config(common_, config, defaults)) return;
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    if (figures_) evaluate::require_gnuplot();
    const evaluate::PlotLibrary library = evaluate::find_plot_library();
    cli::RunHeader header(common_, "asap-eval diagnose", std::nullopt);
    model_.describe(header);

    evaluate::DiagnosisRun result =
        evaluate::diagnose_run(model_.path(), model_.compiled(), config, common_.threads);
    result.context.versions.emplace_back("SIMD", cli::simd_name());
    folder.begin();
    evaluate::write_diagnosis(out, result.diagnosis, result.context, library);
    if (figures_)
      evaluate::draw_paper_figures(out / "figures", evaluate::diagnosis_figures(result.diagnosis));
    folder.finish(evaluate::diagnosis_summary(result.diagnosis, result.context),
                  evaluate::diagnosis_table(result.diagnosis) +
                      "report: " + (out / "report.html").string() + "\n");
  }

 private:
  cli::CommonOptions common_;
  ModelFlags model_;
  std::vector<std::string> methods_;
  std::optional<int> examples_, iterations_;
  bool figures_ = false;
};

}  // namespace

std::unique_ptr<cli::Command> diagnose_command() { return std::make_unique<DiagnoseCommand>(); }

}  // namespace asap::asap_eval
