#include "pretrained/pretrained_model.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "pretrained/tensor_names.h"
#include "pretrained/tokenizer_files.h"

namespace asap::pretrained {
namespace fs = std::filesystem;
namespace {

constexpr const char* kWrongModel = "is config.json that of these weights?";
constexpr const char* kWeightsFile = "model.safetensors";
constexpr const char* kConfigFile = "config.json";

/// Older files call gain and offset of layer norms gamma and beta.
std::string modern_name(std::string name) {
  for (const auto& [old_ending, ending] :
       {std::pair(".gamma", ".weight"), std::pair(".beta", ".bias")})
    if (name.ends_with(old_ending)) {
      name.resize(name.size() - std::string_view(old_ending).size());
      return name + ending;
    }
  return name;
}

/// The tensors of a file under the names of their family, of which each is taken once.
class ForeignTensors {
 public:
  ForeignTensors(io::TensorFile file, Family family) : source_(file.source), family_(family) {
    const std::string prefix = find_prefix(file);
    for (auto& [name, tensor] : file.tensors) {
      const bool inside = name.starts_with(prefix);
      tensors_.emplace(modern_name(inside ? name.substr(prefix.size()) : name), std::move(tensor));
    }
  }

  /// The names that a model may hold.
  void expect(std::vector<std::string> known) { known_ = std::move(known); }
  bool has(const std::string& name) const { return tensors_.contains(name); }

  /// The values of a tensor, which must have this shape and finite values.
  tensor::Tensor<float> take(const std::string& name, const tensor::Shape& shape) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail_missing(name);
    const io::StoredTensor& stored = found->second;
    if (!(stored.shape == shape))
      throw base::DataError(source_ + ": tensor '" + name + "' has shape " + stored.shape.text() +
                                ", config.json needs " + shape.text(),
                            kWrongModel);
    check_type(name, stored.type);
    tensor::Tensor<float> values = stored.to<float>();
    if (!std::ranges::all_of(values.flat(), [](float value) { return std::isfinite(value); }))
      throw base::DataError(source_ + ": tensor '" + name + "' holds values that are not finite",
                            "the file is damaged, or its training diverged");
    taken_.insert(name);
    return values;
  }

  /// What has not been taken, if it is known; DataError names the first unknown tensor.
  std::vector<std::string> rest() const {
    std::vector<std::string> left;
    for (const auto& [name, tensor] : tensors_) {
      if (taken_.contains(name)) continue;
      if (!is_left_out(name))
        throw base::DataError(source_ + ": tensor '" + name + "' (" + tensor.shape.text() +
                                  ") is no part of a " + family_name(family_) + " of this size",
                              base::suggestion(name, known_));
      left.push_back(name);
    }
    return left;
  }

 private:
  std::string find_prefix(const io::TensorFile& file) const {
    for (const std::string& prefix : prefixes(family_))
      if (file.tensors.contains(prefix + token_name(family_))) return prefix;
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file.tensors) names.push_back(name);
    constexpr std::size_t kShown = 8;
    const bool all = names.size() <= kShown;
    names.resize(std::min(names.size(), kShown));
    throw base::DataError(source_ + ": holds no tensor '" + token_name(family_) +
                              "', so it is no " + family_name(family_),
                          "it holds " + base::join(names, ", ") + (all ? "" : ", ..."));
  }

  [[noreturn]] void fail_missing(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& [present, tensor] : tensors_)
      if (std::ranges::find(known_, present) == known_.end()) names.push_back(present);
    const std::string nearest = base::nearest_name(name, names);
    throw base::DataError(
        source_ + ": tensor '" + name + "' is missing",
        nearest.empty() ? std::string(kWrongModel) : "the nearest name there is '" + nearest + "'");
  }

  void check_type(const std::string& name, io::ElementType type) {
    if (type != io::ElementType::float32 && type != io::ElementType::float64)
      throw base::DataError(source_ + ": tensor '" + name + "' is of type " +
                                std::string(io::element_name(type)) + ", not float32 or float64",
                            "store the weights as float32");
    if (!type_) {
      type_ = type;
      first_name_ = name;
    }
    if (*type_ != type)
      throw base::DataError(source_ + ": tensor '" + name + "' is " +
                                std::string(io::element_name(type)) + ", but '" + first_name_ +
                                "' is " + std::string(io::element_name(*type_)),
                            "store all weights as float32");
  }

  std::string source_;
  Family family_;
  std::map<std::string, io::StoredTensor> tensors_;
  std::set<std::string> taken_;
  std::vector<std::string> known_;
  std::optional<io::ElementType> type_;
  std::string first_name_;
};

tensor::Shape part_shape(const TensorOrigin& origin) {
  const auto parts = static_cast<std::int64_t>(origin.parts.size());
  return origin.shape.rank() == 1 ? tensor::Shape{origin.shape[0] / parts}
                                  : tensor::Shape{origin.shape[0] / parts, origin.shape[1]};
}

/// The parts one below the other, or the fused tensor.
tensor::Tensor<float> assemble(ForeignTensors& tensors, const TensorOrigin& origin) {
  if (!origin.fused.empty() && tensors.has(origin.fused.front()))
    return tensors.take(origin.fused.front(), origin.shape);
  tensor::Tensor<float> whole(origin.shape);
  float* to = whole.data();
  for (const std::string& part : origin.parts) {
    const tensor::Tensor<float> values = tensors.take(part, part_shape(origin));
    to = std::ranges::copy(values.flat(), to).out;
  }
  return whole;
}

/// A text has one segment, of type 0.
void add_first_token_type(ForeignTensors& tensors, const ModelDescription& description,
                          tensor::Tensor<float>& positions) {
  if (description.token_types == 0) return;
  const std::int64_t width = description.model.width;
  const tensor::Tensor<float> types =
      tensors.take(token_type_name(description.family), {description.token_types, width});
  for (std::int64_t i = 0; i < positions.size(); ++i) positions[i] += types[i % width];
}

io::TensorFile take_weights(ForeignTensors& tensors, const ModelDescription& description,
                            std::vector<std::string>& left_out) {
  const std::vector<TensorOrigin> origins = tensor_origins(description);
  std::vector<std::string> known{token_type_name(description.family)};
  for (const TensorOrigin& origin : origins)
    known.insert(known.end(), origin.parts.begin(), origin.parts.end());
  tensors.expect(std::move(known));
  io::TensorFile weights;
  for (const TensorOrigin& origin : origins) {
    if (origin.optional && !tensors.has(origin.parts.front())) continue;
    tensor::Tensor<float> values = assemble(tensors, origin);
    if (origin.name == "embedding.position") add_first_token_type(tensors, description, values);
    weights.put(origin.name, values);
  }
  left_out = tensors.rest();
  return weights;
}

void check_vocabulary(const text::Tokenizer& tokenizer, const config::ModelConfig& model,
                      const fs::path& folder) {
  if (tokenizer.vocabulary() != model.vocabulary)
    throw base::DataError((folder / "vocab.txt").string() + ": holds " +
                              std::to_string(tokenizer.vocabulary()) +
                              " pieces, but vocab_size is " + std::to_string(model.vocabulary) +
                              " in " + (folder / kConfigFile).string(),
                          "the vocabulary belongs to another model");
}

/// A key of the configuration as JSON.
io::Json value_at(const io::Json& config, const std::string& key) {
  io::Json::json_pointer pointer;
  for (const std::string& part : base::split(key, '.')) pointer /= part;
  return config.at(pointer);
}

}  // namespace

std::optional<fs::path> find_pretrained(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return path;
  if (fs::is_regular_file(path / kWeightsFile, ignored) && fs::exists(path / kConfigFile, ignored))
    return path / kWeightsFile;
  return std::nullopt;
}

PretrainedModel read_pretrained(const fs::path& file) {
  const fs::path folder = file.parent_path();
  std::error_code ignored;
  if (!fs::exists(folder / kConfigFile, ignored))
    throw base::DataError((folder / kConfigFile).string() + ": there is no such file beside " +
                              file.filename().string(),
                          "the folder of a pretrained model holds model.safetensors, config.json "
                          "and vocab.txt");
  ModelDescription description = read_model_description(folder / kConfigFile);
  const PretrainedTokenizer tokenizer =
      read_pretrained_tokenizer(folder, description.model.max_tokens);
  check_vocabulary(*tokenizer.tokenizer, description.model, folder);
  const std::optional<config::Pooling> pooling = read_pooling(folder, description.model.width);
  const std::string bytes = base::read_file(file);
  ForeignTensors tensors(io::parse_safetensors(bytes, file.string()), description.family);
  PretrainedModel model{file.string(),
                        description.model,
                        tokenizer.config,
                        tokenizer.truncation,
                        {},
                        base::content_fingerprint(bytes),
                        {}};
  model.weights = take_weights(tensors, description, model.left_out);
  model.weights.source = file.string();
  if (pooling)
    model.model.pooling = *pooling;
  else
    model.model.pooler = model.weights.tensors.contains("pooler.weight");
  return model;
}

std::shared_ptr<const text::TextCodec> read_pretrained_codec(const fs::path& file) {
  const fs::path folder = file.parent_path();
  const ModelDescription description = read_model_description(folder / kConfigFile);
  const PretrainedTokenizer tokenizer =
      read_pretrained_tokenizer(folder, description.model.max_tokens);
  auto codec = std::make_shared<text::TextCodec>();
  codec->config = tokenizer.config;
  codec->tokenizer = tokenizer.tokenizer;
  return codec;
}

config::TrainConfig initial_config(const PretrainedModel& model) {
  config::TrainConfig config;
  config.model = model.model;
  config.data.text = model.text;
  return config;
}

void require_own_network(const PretrainedModel& model, const config::TrainConfig& config,
                         const std::string& source) {
  const io::Json own = config::to_json(initial_config(model)), asked = config::to_json(config);
  for (const char* key :
       {"model.kind", "model.vocabulary", "model.max_tokens", "model.positions", "model.width",
        "model.heads", "model.layers", "model.mlp_ratio", "model.norm", "model.norm_epsilon",
        "model.embedding_norm", "model.feed_forward.kind", "model.feed_forward.activation",
        "data.text.tokenizer", "data.text.lowercase", "data.text.strip_accents"}) {
    const io::Json there = value_at(own, key), here = value_at(asked, key);
    if (there != here)
      throw base::UsageError(source + ": " + key + " is " + here.dump() + ", but the weights of " +
                                 model.source + " need " + there.dump(),
                             std::string("leave ") + key + " out");
  }
  if (config.model.pooler && !model.weights.tensors.contains("pooler.weight"))
    throw base::UsageError(
        source + ": model.pooler is true, but " + model.source + " holds no pooler",
        "leave model.pooler out");
  if (config.data.text.max_tokens > model.model.max_tokens)
    throw base::UsageError(source + ": data.text.max_tokens is " +
                               std::to_string(config.data.text.max_tokens) + ", but " +
                               model.source + " has " + std::to_string(model.model.max_tokens) +
                               " positions",
                           "--set data.text.max_tokens=" + std::to_string(model.model.max_tokens));
}

}  // namespace asap::pretrained
