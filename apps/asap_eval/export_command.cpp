#include "asap_eval/commands.h"
#include "asap_eval/model_flags.h"
#include "attention/operators/loop_heads.h"
#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "bundle/trained_model.h"
#include "c_source/network_source.h"
#include "c_source/operator_source.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "evaluate/compare/method.h"
#include "evaluate/study/piecewise_network.h"
#include "onnx/network/network_graph.h"
#include "predict/predictor.h"
#include "region/network/export_onnx.h"

namespace asap::asap_eval {
namespace {

constexpr const char* kFile = "network.onnx";
constexpr const char* kExportable =
    "exported are teacher, teacher_log, softmax, sinkhorn:K, f0 and compiled";

/// The attention of an export.
struct ExportedAttention {
  evaluate::CompiledHeads heads;
  onnx::LoopForm form = onnx::LoopForm::scaling;
};

int teacher_iterations(const config::AttentionConfig& attention, const std::string& source) {
  if (attention.kind == config::AttentionKind::softmax) return 0;
  if (attention.has_sinkhorn_plan()) return attention.iterations;
  throw base::UsageError(
      source +
          ": its model.attention.kind cannot be exported; that of softmax, sinkhorn and "
          "sinkformer can",
      "`method` softmax, sinkhorn:K or f0 exports the network with another attention");
}

ExportedAttention exported_attention(const evaluate::Method& method,
                                     const bundle::TrainedModel& model) {
  const infer::Encoder& encoder = model.encoder;
  const auto loop = [&](int iterations) {
    return attention::loop_heads(iterations, encoder.score_scales(), encoder.slacks());
  };
  const auto refuse = [&] {
    throw base::UsageError("`method` " + method.name() + " cannot be exported", kExportable);
  };
  if (method.layers || method.bfloat16 || method.cascade) refuse();
  switch (method.kind) {
    case evaluate::MethodKind::teacher:
      return {loop(teacher_iterations(model.config.model.attention, model.source))};
    case evaluate::MethodKind::teacher_log:
      return {loop(teacher_iterations(model.config.model.attention, model.source)),
              onnx::LoopForm::log_domain};
    case evaluate::MethodKind::softmax:
      return {attention::loop_heads(0, encoder.score_scales(), {})};
    case evaluate::MethodKind::sinkhorn:
      return {loop(method.iterations)};
    case evaluate::MethodKind::zero_dual:
      return {evaluate::zero_dual_heads(encoder)};
    case evaluate::MethodKind::compiled:
      if (method.iterations > 0) refuse();
      if (!model.compiled)
        throw base::UsageError("`method` compiled needs an operator",
                               "--compiled DIR names a folder of asap-compile");
      return {model.compiled->heads};
    default:
      refuse();
  }
  return {};
}

/// What a program must pass.
io::Json inputs_of(const config::ModelConfig& model) {
  const io::Json lengths = {{"name", "lengths"}, {"type", "int64"}, {"shape", {"batch"}}};
  if (model.kind == config::ModelKind::text)
    return {{{"name", "ids"}, {"type", "int64"}, {"shape", {"batch", "tokens"}}}, lengths};
  if (model.kind == config::ModelKind::set)
    return {{{"name", "points"},
             {"type", "float32"},
             {"shape", {"batch", "tokens", model.point_width}}},
            lengths};
  return io::Json::array(
      {{{"name", "pixels"},
        {"type", "uint8"},
        {"shape", {"batch", model.channels, model.image_height, model.image_width}}}});
}

class ExportCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* command = program.add_subcommand(
        "export",
        "Write a trained network as ONNX (operator set 17) or C99: a Transformer in float32 with "
        "the attention of a method, or (ONNX) a perceptron with ReLU or region-constrained "
        "activations in float64. An operator without a network becomes C99.");
    model_.add_to(*command);
    command
        ->add_option("--operator", operator_,
                     "In place of a network, format c: the attention of this operator folder of "
                     "asap-compile")
        ->excludes("--run")
        ->excludes("--model")
        ->excludes("--compiled")
        ->type_name("DIR");
    command
        ->add_option("--format", format_,
                     "onnx: network.onnx; c: one C99 file with the weights, which needs nothing "
                     "but libm")
        ->check(CLI::IsMember({"onnx", "c"}))
        ->type_name("NAME")
        ->capture_default_str();
    command
        ->add_option("--name", name_,
                     "Format c: the file NAME.c and its functions NAME_...; default: network, of "
                     "an operator alone attention")
        ->type_name("NAME");
    command
        ->add_option("--method", method_,
                     "Attention: teacher, softmax, sinkhorn:K, f0, compiled, or teacher_log, the "
                     "loop as published; default: compiled if there is an operator, else teacher")
        ->type_name("NAME");
    cli::add_common_options(
        *command, common_, "asap-eval",
        "asap-eval export --run runs/fashion --compiled runs/operator --out runs/onnx");
    return command;
  }

  void run() override {
    cli::configure_logging(common_);
    if (!name_.empty() && format_ != "c")
      throw base::UsageError("`name` is for `format` c", "leave it out, or add `format` c");
    cli::OutputFolder folder(common_);
    if (!operator_.empty()) return export_operator(folder);
    const bundle::TrainedModel model = bundle::load_model(model_.path(), model_.compiled());
    if (!model.config.model.has_attention())
      export_perceptron(model, folder);
    else if (format_ == "c")
      export_c(model, folder);
    else
      export_transformer(model, folder);
  }

 private:
  /// Writes a file of C and what there is to say about it.
  void finish_c(cli::OutputFolder& folder, const std::string& name, const std::string& code,
                io::Json summary, const std::string& contents) {
    const std::string file = name + ".c";
    folder.begin();
    base::write_file_atomically(folder.path() / file, code);
    summary["file"] = file;
    const std::string path = (folder.path() / file).string();
    folder.finish(summary, path + ": " + contents + ", " + std::to_string(code.size() >> 10) +
                               " KiB of C99\ncc -std=c99 -O3 -c " + base::shell_word(path) +
                               "; the comment at its top says how to call it\n");
  }

  void export_operator(cli::OutputFolder& folder) {
    if (format_ != "c")
      throw base::UsageError("an `operator` alone is exported as C only",
                             "add `format` c, or name the network with --run or --model");
    if (!method_.empty())
      throw base::UsageError("`method` is of a network; an operator alone has none",
                             "leave it out, or name the network with --run or --model");
    const compile::OperatorArtefact artefact = compile::load_operator(operator_);
    const std::string name = name_.empty() ? "attention" : name_;
    const std::size_t layers = artefact.heads.size(), heads = artefact.heads.front().size();
    const std::string code = c_source::operator_source(
        artefact.heads, artefact.head_width,
        {name,
         {"Compiled attention, written by asap-eval export.",
          "Fitted on " + artefact.calibration_source + "; imitates " +
              base::counted(static_cast<std::size_t>(artefact.teacher_iterations),
                            "Sinkhorn iteration") +
              "."}});
    finish_c(
        folder, name, code,
        {{"layers", layers}, {"heads", heads}, {"head_width", artefact.head_width}},
        "attention of " + base::counted(layers, "layer") + ", " + base::counted(heads, "head"));
  }

  void export_c(const bundle::TrainedModel& model, cli::OutputFolder& folder) {
    const evaluate::Method method = predict::method_of(method_, model);
    if (method.kind == evaluate::MethodKind::teacher_log)
      throw base::UsageError("`method` teacher_log is not written as C",
                             "`method` teacher computes the same");
    const ExportedAttention attention = exported_attention(method, model);
    const config::DataConfig& data = model.config.data;
    const std::string name = name_.empty() ? "network" : name_;
    const std::string description = config::describe_model(model.config.model);
    const std::string code = c_source::network_source(
        {.model = model.config.model,
         .weights = bundle::read_weights(model_.path()),
         .heads = attention.heads,
         .class_names = model.class_names,
         .pixel_mean = data.pixel_mean,
         .pixel_deviation = data.pixel_deviation},
        {name,
         {"A trained network, written by asap-eval export: " + description + ".",
          "Its attention is computed by the method " + method.name() +
              ". Fingerprint of the weights: " + model.encoder.fingerprint() + "."}});
    finish_c(folder, name, code,
             {{"method", method.name()}, {"model", description}, {"classes", model.class_names}},
             method.name() + ", float32");
  }

  void export_transformer(const bundle::TrainedModel& model, cli::OutputFolder& folder) {
    const evaluate::Method method = predict::method_of(method_, model);
    const ExportedAttention attention = exported_attention(method, model);
    const config::DataConfig& data = model.config.data;
    const onnx::ModelDescription description{
        .producer = "asap-eval",
        .name = "network",
        .metadata = {{"class_names", io::Json(model.class_names).dump()},
                     {"method", method.name()},
                     {"model_fingerprint", model.encoder.fingerprint()}}};
    const std::string bytes =
        onnx::export_network({.model = model.config.model,
                              .weights = bundle::read_weights(model_.path()),
                              .heads = attention.heads,
                              .form = attention.form,
                              .pixels = {data.pixel_mean, data.pixel_deviation}},
                             description);
    folder.begin();
    base::write_file_atomically(folder.path() / kFile, bytes);
    const io::Json summary = {{"file", kFile},
                              {"method", method.name()},
                              {"inputs", inputs_of(model.config.model)},
                              {"output", "logits"},
                              {"classes", model.class_names}};
    std::string text = (folder.path() / kFile).string() + ": " + method.name() + ", float32\n";
    for (const io::Json& input : summary["inputs"])
      text += "input " + input["name"].get<std::string>() + ": " +
              input["type"].get<std::string>() + " " + input["shape"].dump() + "\n";
    folder.finish(summary, text + "output logits: float32, of " +
                               base::counted(model.class_names.size(), "class", "classes") + "\n");
  }

  void export_perceptron(const bundle::TrainedModel& model, cli::OutputFolder& folder) {
    if (model.config.model.has_convolutions())
      throw base::UsageError(
          model.source + ": a network of model.kind convolutional is not exported by this command",
          "answer with asap-eval predict, or hand it on with asap-eval bundle");
    if (!method_.empty())
      throw base::UsageError(
          model.source + ": a network of model.kind mlp has no attention for `method` to choose",
          "leave it out");
    if (format_ == "c")
      throw base::UsageError(
          model.source + ": a network of model.kind mlp is not written as C by this command",
          "leave `format` out for ONNX");
    const std::filesystem::path& out = folder.path();
    const region::ReluNetwork network = evaluate::perceptron_network(
        bundle::read_weights(model_.path()), model.config.model, evaluate::Outputs::all);
    const std::string bytes = region::export_onnx({network, {}}, "perceptron");
    folder.begin();
    base::write_file_atomically(out / kFile, bytes);
    const io::Json summary = {{"file", kFile},
                              {"inputs", network.inputs()},
                              {"classes", model.class_names},
                              {"pixel_mean", model.config.data.pixel_mean},
                              {"pixel_deviation", model.config.data.pixel_deviation},
                              {"parameters", network.nonzero_count()}};
    folder.finish(summary, (out / kFile).string() + ": x [N, " + std::to_string(network.inputs()) +
                               "], float64, (pixel / 255 - pixel_mean) / pixel_deviation of "
                               "summary.json; y [N, " +
                               std::to_string(model.class_names.size()) + "] logits\n");
  }

  cli::CommonOptions common_;
  ModelFlags model_;
  std::filesystem::path operator_;
  std::string method_, format_ = "onnx", name_;
};

}  // namespace

std::unique_ptr<cli::Command> export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace asap::asap_eval
