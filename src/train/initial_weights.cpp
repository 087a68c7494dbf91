#include "train/initial_weights.h"

#include <algorithm>

#include "base/text.h"
#include "pretrained/pretrained_model.h"
#include "train/checkpoint.h"

namespace asap::train {
namespace {

constexpr const char* kHint =
    "model must equal that run's config.json in all but attention and classes";

/// Whether a parameter belongs to one attention kind; the projections belong to all kinds.
bool is_of_attention_kind(const std::string& name) {
  return name.find(".attention.") != std::string::npos &&
         name.find(".attention.qkv.") == std::string::npos &&
         name.find(".attention.output.") == std::string::npos;
}

bool is_of_classifier(const std::string& name) { return name.starts_with("head."); }

[[noreturn]] void fail(const std::string& folder, const std::string& what) {
  throw base::UsageError("train.init_from '" + folder + "': " + what, kHint);
}

/// Equal shapes do not tell the number of heads of a projection, nor a token id.
void check_alike(const std::string& folder, const config::ModelConfig& there,
                 const config::ModelConfig& here) {
  if (there.heads != here.heads)
    fail(folder, "model.heads is " + std::to_string(there.heads) + " there and " +
                     std::to_string(here.heads) + " here");
  if (there.separator != here.separator)
    fail(folder, "model.separator is " + std::to_string(there.separator) + " there and " +
                     std::to_string(here.separator) + " here");
}

/// Refuses tensors of the other run that this model lacks, except parameters of its attention kind.
void check_nothing_is_left(const std::string& folder, const io::TensorFile& file,
                           const autodiff::ParameterStore<float>& parameters) {
  for (const auto& [tensor_name, tensor] : file.tensors) {
    const std::string& name = tensor_name;  // Clang 14 captures no structured binding
    const bool known = std::ranges::any_of(parameters.entries(),
                                           [&](const auto& entry) { return entry.name == name; });
    if (!known && !is_of_attention_kind(name))
      fail(folder,
           "this model has no tensor '" + name + "', which is " + tensor.shape.text() + " there");
  }
}

/// The encoder of a pretrained model; classifier and what attention learns besides are fresh.
InitialWeights take_pretrained_weights(const std::filesystem::path& file,
                                       nn::Transformer<float>& model) {
  const pretrained::PretrainedModel there = pretrained::read_pretrained(file);
  InitialWeights initial{there.fingerprint, {}};
  autodiff::ParameterStore<float>& parameters = model.parameters();
  for (const auto& entry : parameters.entries()) {
    if (is_of_classifier(entry.name) || is_of_attention_kind(entry.name)) {
      initial.fresh.push_back(entry.name);
      continue;
    }
    const io::StoredTensor& stored = there.weights.at(entry.name);
    if (!(stored.shape == entry.shape))
      throw base::UsageError("train.init_from '" + there.source + "': tensor '" + entry.name +
                                 "' is " + stored.shape.text() + " there, the model needs " +
                                 entry.shape.text(),
                             "leave the keys of the network out: they come from that model");
    std::ranges::copy(stored.to<float>().flat(), parameters.flat().begin() + entry.offset);
  }
  return initial;
}

}  // namespace

InitialWeights take_initial_weights(const std::string& folder, nn::Transformer<float>& model) {
  if (const auto file = pretrained::find_pretrained(folder))
    return take_pretrained_weights(*file, model);
  const config::RunFolder run(folder);
  const config::ModelConfig there = run.read_config().model;
  check_alike(folder, there, model.config());
  const StoredWeights stored_weights = read_newest_weights(run);
  const io::TensorFile& file = stored_weights.tensors;
  InitialWeights initial{stored_weights.fingerprint, {}};
  autodiff::ParameterStore<float>& parameters = model.parameters();
  std::vector<std::pair<const autodiff::ParameterStore<float>::Entry*, const io::StoredTensor*>>
      fitting;
  for (const auto& entry : parameters.entries()) {
    const auto found = file.tensors.find(entry.name);
    const bool fits = found != file.tensors.end() && found->second.shape == entry.shape;
    const bool may_be_fresh =
        is_of_attention_kind(entry.name) ||
        (is_of_classifier(entry.name) && there.classes != model.config().classes);
    if (fits)
      fitting.emplace_back(&entry, &found->second);
    else if (may_be_fresh)
      initial.fresh.push_back(entry.name);
    else
      fail(folder,
           "tensor '" + entry.name + "' must be " + entry.shape.text() + " and " +
               (found == file.tensors.end() ? std::string("is missing there")
                                            : "is " + found->second.shape.text() + " there"));
  }
  check_nothing_is_left(folder, file, parameters);
  for (const auto& [entry, stored] : fitting)
    std::ranges::copy(stored->to<float>().flat(), parameters.flat().begin() + entry->offset);
  return initial;
}

std::shared_ptr<const text::TextCodec> initial_text_codec(const config::TrainConfig& config,
                                                          const config::RunFolder& own,
                                                          bool resumed) {
  if (config.train.init_from.empty() || config.data.kind != config::DataKind::text) return nullptr;
  const bool learnt = resumed && std::filesystem::exists(own.text());
  if (!learnt)
    if (const auto file = pretrained::find_pretrained(config.train.init_from))
      return pretrained::read_pretrained_codec(*file);
  const auto folder = learnt ? own.text() : config::RunFolder(config.train.init_from).text();
  return text::read_text_codec(folder)->token_ids();
}

std::string describe_initial_weights(const std::string& folder, const InitialWeights& initial) {
  std::string text = "starting from the weights of " + folder;
  if (!initial.fresh.empty()) text += "; fresh: " + base::join(initial.fresh, ", ");
  return text;
}

}  // namespace asap::train
