#include "asap_eval/commands.h"
#include "base/error.h"
#include "base/files.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "config/run_folder.h"
#include "data/dataset.h"
#include "data/load/load_dataset.h"
#include "evaluate/study/piecewise_network.h"
#include "region/network/export_onnx.h"

namespace asap::asap_eval {
namespace {

class ExportCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* command = program.add_subcommand(
        "export",
        "Write a perceptron with ReLU or region-constrained activations as ONNX, in float64.");
    command->add_option("--run", run_, "Run folder of asap-train")->type_name("DIR")->required();
    cli::add_common_options(*command, common_, "asap-eval",
                            "asap-eval export --run runs/perceptron --out runs/onnx");
    return command;
  }

  void run() override {
    cli::configure_logging(common_);
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    const config::RunFolder trained(run_);
    const config::TrainConfig config = trained.read_config();
    if (config.model.has_attention())
      throw base::UsageError(
          run_.string() + ": only perceptrons (model.kind mlp) can be exported so far",
          "asap-compile writes operators of Transformers");
    const io::TensorFile weights =
        io::read_safetensors(trained.require_checkpoint() / config::kModelFile);
    const region::ReluNetwork network =
        evaluate::perceptron_network(weights, config.model, evaluate::Outputs::all);
    const data::Dataset data = data::load_dataset_for(trained, config.data, data::Split::test);
    const std::string bytes = region::export_onnx({network, {}}, "perceptron");
    folder.begin();
    base::write_file_atomically(out / "network.onnx", bytes);
    const io::Json summary = {{"file", "network.onnx"},
                              {"inputs", network.inputs()},
                              {"classes", data.class_names},
                              {"pixel_mean", data.pixel_mean},
                              {"pixel_deviation", data.pixel_deviation},
                              {"parameters", network.nonzero_count()}};
    folder.finish(summary, (out / "network.onnx").string() + ": x [N, " +
                               std::to_string(network.inputs()) +
                               "], float64, (pixel / 255 - pixel_mean) / pixel_deviation of "
                               "summary.json; y [N, " +
                               std::to_string(data.classes()) + "] logits\n");
  }

 private:
  cli::CommonOptions common_;
  std::filesystem::path run_;
};

}  // namespace

std::unique_ptr<cli::Command> export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace asap::asap_eval
