#include "bundle/bundle_file.h"

#include <cmath>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "config/run_folder.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace asap::bundle {
namespace fs = std::filesystem;
namespace {

constexpr const char* kModelPrefix = "model.";
constexpr const char* kOperatorPrefix = "operator.";
constexpr const char* kTokenizer = "tokenizer";
constexpr const char* kDamaged = "the file is damaged; make it again with asap-eval bundle";

void add_tensors(const io::TensorFile& part, const std::string& prefix, io::TensorFile& bundle) {
  for (const auto& [name, tensor] : part.tensors) bundle.tensors.emplace(prefix + name, tensor);
}

/// The tensors whose names begin with the prefix, without it.
io::TensorFile take_tensors(const io::TensorFile& bundle, const std::string& prefix) {
  io::TensorFile part;
  part.source = bundle.source;
  for (const auto& [name, tensor] : bundle.tensors)
    if (name.starts_with(prefix)) part.tensors.emplace(name.substr(prefix.size()), tensor);
  return part;
}

/// The configuration as others may see it: without places of files.
config::TrainConfig without_places(config::TrainConfig config) {
  config.data.path.clear();
  config.data.text.train_file.clear();
  config.data.text.test_file.clear();
  config.train.init_from.clear();
  return config;
}

/// The same for the data that an operator was calibrated on.
void drop_places(io::Json& description) {
  const auto data = description.find("calibration_data");
  if (data == description.end() || !data->is_object()) return;
  data->erase("path");
  if (const auto text = data->find("text"); text != data->end() && text->is_object()) {
    text->erase("train_file");
    text->erase("test_file");
  }
}

void add_operator(const fs::path& compiled, io::TensorFile& bundle) {
  const fs::path path = compiled / compile::OperatorArtefact::kTensors;
  const io::TensorFile tensors = io::read_safetensors(path);
  io::Json description = io::read_json(compiled / compile::OperatorArtefact::kDescription);
  // Serialised again when it is read, which gives these bytes whoever wrote the file.
  description["tensors_fingerprint"] = base::content_fingerprint(
      io::serialise_safetensors(take_tensors({tensors.tensors, {}, ""}, "")));
  if (io::Json& source = description["calibration_source"]; source.is_string())
    source = fs::path(source.get<std::string>()).filename().string();  // without its folder
  drop_places(description);
  add_tensors(tensors, kOperatorPrefix, bundle);
  bundle.metadata["operator"] = io::format_json_line(description);
}

/// Reads the metadata of a bundle.
class Metadata {
 public:
  explicit Metadata(const io::TensorFile& file) : file_(file) {}

  bool has(const char* key) const { return file_.metadata.contains(key); }

  const std::string& text(const char* key) const {
    const auto found = file_.metadata.find(key);
    if (found == file_.metadata.end())
      throw base::DataError(file_.source + ": __metadata__ has no '" + key + "'", kDamaged);
    return found->second;
  }

  io::Json json(const char* key) const { return io::parse_json_line(text(key), place(key)); }
  std::string place(const char* key) const { return file_.source + ": " + key; }

  void check_format() const {
    if (!has("format") || text("format") != kBundleFormat)
      throw base::DataError(file_.source + ": is no bundle",
                            "asap-eval bundle --run RUN --out FILE makes one");
    const auto version = base::parse_number<int>(text("version"));
    if (version != kBundleVersion)
      throw base::DataError(file_.source + ": bundle version '" + io::excerpt(text("version")) +
                                "', this version of the toolkit reads version " +
                                std::to_string(kBundleVersion),
                            "update the toolkit, or make the bundle again");
    if (content_fingerprint_of(file_) != text("content"))
      throw base::DataError(file_.source + ": its tensors are not those that were written",
                            kDamaged);
  }

  config::TrainConfig config() const {
    config::TrainConfig config;
    try {
      config::from_json(json("config"), config, place("config"));
      config.model.validate_complete(place("config"));
    } catch (const base::UsageError& error) {  // needs another hint in a file
      throw base::DataError(error.what(), kDamaged);
    }
    return config;
  }

  std::vector<std::string> class_names(int classes) const {
    const io::Json names = json("class_names");
    std::vector<std::string> out;
    if (names.is_array())
      for (const io::Json& name : names)
        if (name.is_string()) out.push_back(name.get<std::string>());
    if (!names.is_array() || out.size() != names.size() || std::ssize(out) != classes)
      throw base::DataError(place("class_names") + ": expected " + base::counted(classes, "name"),
                            kDamaged);
    return out;
  }

 private:
  const io::TensorFile& file_;
};

std::shared_ptr<const text::TextCodec> read_codec(const Metadata& metadata,
                                                  const io::TensorFile& file,
                                                  const config::ModelConfig& model) {
  text::SerialisedCodec serialised{metadata.json("text_codec"), ""};
  if (const auto found = file.tensors.find(kTokenizer); found != file.tensors.end())
    serialised.tokenizer = found->second.bytes;
  auto codec = text::parse_text_codec(serialised, metadata.place("text_codec"));
  if (codec->tokenizer->vocabulary() != model.vocabulary ||
      std::ssize(codec->labels) != model.classes)
    throw base::DataError(metadata.place("text_codec") + ": " +
                              std::to_string(codec->tokenizer->vocabulary()) + " token ids and " +
                              base::counted(codec->labels.size(), "class", "classes") +
                              " do not fit the network",
                          kDamaged);
  return codec;
}

compile::OperatorArtefact read_operator(const Metadata& metadata, const io::TensorFile& file,
                                        const infer::Encoder& encoder) {
  const io::TensorFile tensors = take_tensors({file.tensors, {}, file.source}, kOperatorPrefix);
  compile::OperatorArtefact artefact = compile::parse_operator(
      metadata.text("operator"), io::serialise_safetensors(tensors), file.source);
  require_fitting_operator(artefact, metadata.place("operator"), encoder.fingerprint(),
                           encoder.config());
  return artefact;
}

io::Json cascade_json(const StoredCascade& cascade) {
  const CascadeThreshold& threshold = cascade.threshold;
  return {{"method", cascade.method},       {"limit", cascade.limit},
          {"margin", threshold.margin},     {"share", threshold.share},
          {"examples", threshold.examples}, {"disagreements", threshold.disagreements},
          {"missed", threshold.missed}};
}

StoredCascade read_cascade(const Metadata& metadata) {
  const io::Json json = metadata.json("cascade");
  const auto number = [&](const char* key) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_number() ||
        !std::isfinite(static_cast<float>(json[key].get<double>())))
      throw base::DataError(metadata.place("cascade") + ": expected a number as '" + key + "'",
                            kDamaged);
    return json[key].get<double>();
  };
  const auto count = [&](const char* key) {
    const double value = number(key);
    if (value < 0 || value > 1e15 || value != std::floor(value))
      throw base::DataError(metadata.place("cascade") + ": expected a count as '" + key + "'",
                            kDamaged);
    return static_cast<std::int64_t>(value);
  };
  StoredCascade cascade;
  cascade.limit = number("limit");
  cascade.threshold = {static_cast<float>(number("margin")), number("share"), count("examples"),
                       count("disagreements"), count("missed")};
  if (!json.contains("method") || !json["method"].is_string())
    throw base::DataError(metadata.place("cascade") + ": expected the name of a method", kDamaged);
  cascade.method = json["method"].get<std::string>();
  return cascade;
}

}  // namespace

std::string content_fingerprint_of(const io::TensorFile& file) {
  std::string all;
  for (const auto& [name, tensor] : file.tensors)
    all += name + " " + std::string(io::element_name(tensor.type)) + " " + tensor.shape.text() +
           " " + base::content_fingerprint(tensor.bytes) + "\n";
  return base::content_fingerprint(all);
}

std::string make_bundle(const fs::path& run, const fs::path& compiled,
                        const std::optional<StoredCascade>& cascade) {
  const TrainedModel model = load_run(run, compiled);
  io::TensorFile bundle;
  add_tensors(
      io::read_safetensors(config::RunFolder(run).require_checkpoint() / config::kModelFile),
      kModelPrefix, bundle);
  if (model.codec) {
    const text::SerialisedCodec codec = text::serialise_text_codec(*model.codec);
    bundle.metadata["text_codec"] = io::format_json_line(codec.description);
    if (!codec.tokenizer.empty())
      bundle.tensors[kTokenizer] = {io::ElementType::uint8,
                                    {static_cast<std::int64_t>(codec.tokenizer.size())},
                                    codec.tokenizer};
  }
  if (model.compiled) add_operator(compiled, bundle);
  if (model.compiled && cascade)
    bundle.metadata["cascade"] = io::format_json_line(cascade_json(*cascade));
  bundle.metadata["format"] = kBundleFormat;
  bundle.metadata["version"] = std::to_string(kBundleVersion);
  bundle.metadata["config"] = io::format_json_line(config::to_json(without_places(model.config)));
  bundle.metadata["class_names"] = io::format_json_line(model.class_names);
  bundle.metadata["model_fingerprint"] = model.encoder.fingerprint();
  bundle.metadata["content"] = content_fingerprint_of(bundle);
  return io::serialise_safetensors(bundle);
}

bool is_bundle(std::string_view bytes) {
  try {
    const io::TensorFile file = io::parse_safetensors(bytes, "");
    const auto format = file.metadata.find("format");
    return format != file.metadata.end() && format->second == kBundleFormat;
  } catch (const base::DataError&) {
    return false;
  }
}

TrainedModel parse_bundle(std::string_view bytes, const std::string& source) {
  const io::TensorFile file = io::parse_safetensors(bytes, source);
  const Metadata metadata(file);
  metadata.check_format();
  const config::TrainConfig config = metadata.config();
  std::vector<std::string> names = metadata.class_names(config.model.classes);
  TrainedModel model{
      source,
      config,
      {config.model, take_tensors(file, kModelPrefix), metadata.text("model_fingerprint")},
      std::move(names),
      nullptr,
      std::nullopt};
  if (metadata.has("text_codec")) model.codec = read_codec(metadata, file, config.model);
  if (metadata.has("operator") && config.model.has_attention())
    model.compiled = read_operator(metadata, file, model.encoder);
  if (metadata.has("cascade") && model.compiled) model.cascade = read_cascade(metadata);
  return model;
}

io::TensorFile parse_weights(std::string_view bytes, const std::string& source) {
  const io::TensorFile file = io::parse_safetensors(bytes, source);
  Metadata(file).check_format();
  return take_tensors(file, kModelPrefix);
}

}  // namespace asap::bundle
