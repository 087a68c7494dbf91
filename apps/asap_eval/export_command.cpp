#include "asap_eval/commands.h"
#include "asap_eval/model_flags.h"
#include "base/error.h"
#include "base/files.h"
#include "bundle/trained_model.h"
#include "cli/options.h"
#include "cli/output_folder.h"
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
    model_.add_to(*command, false);
    cli::add_common_options(*command, common_, "asap-eval",
                            "asap-eval export --run runs/perceptron --out runs/onnx");
    return command;
  }

  void run() override {
    cli::configure_logging(common_);
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    const bundle::TrainedModel model = bundle::load_model(model_.path(), "");
    if (model.config.model.has_attention())
      throw base::UsageError(
          model.source + ": only perceptrons (model.kind mlp) can be exported so far",
          "asap-compile writes operators of Transformers");
    const region::ReluNetwork network = evaluate::perceptron_network(
        bundle::read_weights(model_.path()), model.config.model, evaluate::Outputs::all);
    const std::string bytes = region::export_onnx({network, {}}, "perceptron");
    folder.begin();
    base::write_file_atomically(out / "network.onnx", bytes);
    const io::Json summary = {{"file", "network.onnx"},
                              {"inputs", network.inputs()},
                              {"classes", model.class_names},
                              {"pixel_mean", model.config.data.pixel_mean},
                              {"pixel_deviation", model.config.data.pixel_deviation},
                              {"parameters", network.nonzero_count()}};
    folder.finish(summary, (out / "network.onnx").string() + ": x [N, " +
                               std::to_string(network.inputs()) +
                               "], float64, (pixel / 255 - pixel_mean) / pixel_deviation of "
                               "summary.json; y [N, " +
                               std::to_string(model.class_names.size()) + "] logits\n");
  }

 private:
  cli::CommonOptions common_;
  ModelFlags model_;
};

}  // namespace

std::unique_ptr<cli::Command> export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace asap::asap_eval
