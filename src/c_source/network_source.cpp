#include "c_source/network_source.h"

#include <algorithm>

#include "base/error.h"
#include "c_source/network_constants.h"
#include "c_source/runtime_files.h"

namespace asap::c_source {
namespace {

constexpr const char* kUseOfImages =
    R"( *   void NAME_forward(const float *pixels, int count, float *logits, float *scratch);
 *
 * writes the logits [count, MACRO_CLASSES] of `count` images. pixels are [count, MACRO_CHANNELS, MACRO_IMAGE_HEIGHT,
 * MACRO_IMAGE_WIDTH], from 0 to 255. scratch has room for MACRO_SCRATCH_FLOATS floats, and holds nothing of use before
 * or after.
)";

constexpr const char* kUseOfSequences =
    R"( *   int NAME_forward(const VALUE, const int *lengths, int count, int tokens, float *logits,
 *                    float *scratch);
 *
 * writes the logits LOGITS of `count` examples. SHAPE;
 * only the first lengths[i] of example i are read, all without lengths (NULL). scratch has room for
 * MACRO_SCRATCH_FLOATS(tokens) floats, and holds nothing of use before or after. Returns 0; or -1 where REFUSED,
 * and then writes nothing.
)";

std::string usage_of(const config::ModelConfig& model) {
  if (model.kind == config::ModelKind::vit) return kUseOfImages;
  const bool texts = model.kind == config::ModelKind::text;
  std::string text = replaced(kUseOfSequences, "VALUE", texts ? "int *ids" : "float *points");
  text = replaced(std::move(text), "LOGITS",
                  model.labels_tokens() ? "[count, tokens, MACRO_CLASSES], 0 for padding,"
                                        : "[count, MACRO_CLASSES]");
  text = replaced(std::move(text), "SHAPE",
                  texts ? "ids are [count, tokens], below MACRO_VOCABULARY"
                        : "points are [count, tokens, MACRO_POINT_WIDTH], centred and scaled as in "
                          "training");
  std::string refused = "a length is not between 0 and tokens";
  if (texts) refused += ", an id is not one";
  if (model.has_positions()) refused += ", tokens exceed MACRO_MOST_TOKENS";
  return replaced(std::move(text), "REFUSED", refused);
}

std::string forward_of(const config::ModelConfig& model) {
  if (model.kind == config::ModelKind::vit)
    return "void NAME_forward(const float *pixels, int count, float *logits, float *scratch);\n";
  return std::string("int NAME_forward(const ") +
         (model.kind == config::ModelKind::text ? "int *ids" : "float *points") +
         ", const int *lengths, int count, int tokens, float *logits,\n"
         "                 float *scratch);\n";
}

std::string embedding_code(const config::ModelConfig& model) {
  if (model.kind == config::ModelKind::vit) return runtime::kImages;
  return std::string(model.kind == config::ModelKind::text ? runtime::kTexts : runtime::kPoints) +
         runtime::kSequences;
}

/// The numbers that run_network needs for t tokens, and what embeds one example.
ScratchSize network_scratch(const config::ModelConfig& model, const Heads& heads) {
  ScratchSize size = attention_scratch(heads, model.head_width());
  size.each += 2 * model.width + std::max<std::int64_t>(3 * model.width, model.hidden_width());
  size.fixed += 2 * model.width + embedded_numbers(model);
  return size;
}

std::string scratch_macro(const config::ModelConfig& model, const Heads& heads) {
  const ScratchSize size = network_scratch(model, heads);
  const auto text = [](std::int64_t value) { return std::to_string(value); };
  if (model.kind == config::ModelKind::vit) {
    const std::int64_t tokens = model.tokens();
    return "#define MACRO_SCRATCH_FLOATS ((size_t)" +
           text(tokens * (tokens + size.each) + size.fixed) + ")\n";
  }
  return "#define MACRO_SCRATCH_FLOATS(tokens) \\\n  (((size_t)(tokens) + 1) * ((size_t)(tokens) "
         "+ " +
         text(size.each + 1) + ") + " + text(size.fixed) + ")\n";
}

std::string class_name_table(const NetworkToWrite& network, const std::string& name) {
  std::string text = "const char *const " + name + "_class_names[] = {\n";
  for (const std::string& word : network.class_names) text += "    " + string_literal(word) + ",\n";
  return text + "};\n";
}

}  // namespace

std::string network_source(const NetworkToWrite& network, const SourceDescription& description) {
  const config::ModelConfig& model = network.model;
  base::check(model.has_attention() && std::ssize(network.heads) == model.layers &&
                  std::ssize(network.class_names) == model.classes,
              "network_source: heads or classes of another network");
  require_writable(network.heads);
  FileParts parts;
  parts.usage = usage_of(model);
  parts.declarations = public_constants(model) + scratch_macro(model, network.heads) +
                       "extern const char *const NAME_class_names[MACRO_CLASSES];\n\n" +
                       forward_of(model);
  parts.types = private_constants(network) + "\n" + runtime::kAttention + runtime::kEncoderTypes;
  Constants constants;
  const std::string heads = head_tables(network.heads, constants);
  const std::string layers = encoder_tables(network, constants);
  parts.tables = "\n/* ---- Numbers of the network ---- */\n\n" + constants.text() + heads +
                 layers + class_name_table(network, description.name) + "\n";
  parts.code = std::string(runtime::kEncoder) + "\n" + embedding_code(model);
  return c_file(description, parts);
}

}  // namespace asap::c_source
