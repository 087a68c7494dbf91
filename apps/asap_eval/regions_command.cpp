#include "asap_eval/regions_command.h"

#include "base/files.h"
#include "cli/config.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "evaluate/study/region_study.h"

namespace asap {

CLI::App* RegionsCommand::add_to(CLI::App& app) {
  CLI::App* regions = app.add_subcommand(
      "regions",
      "Linear regions of a trained network with ReLU or region-constrained activations.");
  regions->add_option("--run", run_, "Run folder of asap-train")->type_name("DIR")->required();
  regions
      ->add_option("--segments", segments_,
                   "Straight ways between two random test examples to count along")
      ->type_name("N");
  regions->add_option("--examples", examples_, "First so many test examples (0: all)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  cli::add_common_options(*regions, common_, "asap-eval",
                          "asap-eval regions --run runs/perceptron --out runs/regions");
  return regions;
}

std::vector<config::FieldDescription> RegionsCommand::keys() {
  return config::list_fields(evaluate::RegionStudyConfig{});
}

void RegionsCommand::run() const {
  cli::configure_logging(common_);
  evaluate::RegionStudyConfig config =
      cli::resolve_config(common_, evaluate::default_region_study_config(run_));
  if (segments_) config::set_field(config, "segments=" + std::to_string(*segments_));
  if (examples_) config.examples = *examples_;
  if (common_.seed) config.seed = *common_.seed;
  if (cli::dump_config(common_, config, evaluate::default_region_study_config(run_))) return;
  cli::RunHeader header(common_, "asap-eval regions", config.seed);
  header.add_run(run_);
  const evaluate::RegionStudy study = evaluate::study_regions(run_, config, common_.threads);
  if (common_.out.empty()) {
    cli::print_summary(common_, evaluate::region_study_summary(study),
                       evaluate::region_study_text(study));
    return;
  }
  base::make_directories(common_.out);
  cli::finish_with_summary(common_, evaluate::region_study_summary(study),
                           evaluate::region_study_text(study));
}

}  // namespace asap
