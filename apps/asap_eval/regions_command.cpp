#include "asap_eval/commands.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/run_header.h"
#include "evaluate/report/region_report.h"

namespace asap::asap_eval {
namespace {

class RegionsCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* regions = program.add_subcommand(
        "regions",
        "Count the linear regions of a trained network with ReLU or region-constrained "
        "activations.");
    regions->add_option("--run", run_, "Run folder of asap-train")->type_name("DIR")->required();
    regions
        ->add_option("--segments", segments_,
                     "Count along N segments, each between two random test examples")
        ->type_name("N");
    regions
        ->add_option("--examples", examples_, "Use only the first N test examples; 0: all of them")
        ->type_name("N")
        ->check(cli::number_in(config::at_least(0)));
    cli::add_common_options(*regions, common_, "asap-eval",
                            "asap-eval regions --run runs/perceptron --out runs/regions");
    return regions;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(evaluate::RegionStudyConfig{});
  }

  bool draws_random_numbers() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    evaluate::RegionStudyConfig config =
        cli::resolve_config(common_, evaluate::default_region_study_config(run_));
    if (segments_) config::set_field(config, "segments=" + std::to_string(*segments_));
    if (examples_) config.examples = *examples_;
    if (common_.seed) config.seed = *common_.seed;
    if (cli::dump_config(common_, config, evaluate::default_region_study_config(run_))) return;
    cli::OutputFolder folder(common_, false);
    cli::RunHeader header(common_, "asap-eval regions", config.seed);
    header.add_run(run_);
    const evaluate::PlotLibrary library = evaluate::find_plot_library();
    const evaluate::RegionStudy study = evaluate::study_regions(run_, config, common_.threads);
    std::string text = evaluate::region_study_text(study);
    if (!folder.path().empty()) {
      folder.begin();
      evaluate::write_region_report(folder.path(), study, library);
      text += "report: " + (folder.path() / "report.html").string() + "\n";
    }
    folder.finish(evaluate::region_study_summary(study), text);
  }

 private:
  cli::CommonOptions common_;
  std::filesystem::path run_;
  std::optional<int> segments_, examples_;
};

}  // namespace

std::unique_ptr<cli::Command> regions_command() { return std::make_unique<RegionsCommand>(); }

}  // namespace asap::asap_eval
