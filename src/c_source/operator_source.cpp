#include "c_source/operator_source.h"

#include "base/error.h"
#include "c_source/runtime_files.h"

namespace asap::c_source {
namespace {

constexpr const char* kUsage =
    R"( *   int NAME_attend(int layer, const float *queries, int n, const float *keys,
 *                   const float *values, int m, float *output, float *scratch);
 *
 * computes attention in all heads of a layer, 0 to MACRO_LAYERS - 1, for one example. queries and output are
 * [n, MACRO_WIDTH], keys and values [m, MACRO_WIDTH], row by row, as linear layers write them, before any scaling;
 * head h has MACRO_HEAD_WIDTH columns from h * MACRO_HEAD_WIDTH on. The output must not be an input. Masked tokens are
 * left out by the caller; without keys the output is 0. scratch has room for MACRO_SCRATCH_FLOATS(larger of n and m)
 * floats, and holds nothing of use before or after. Returns 0; or -1 for another layer and for negative numbers, and
 * then writes nothing.
)";

constexpr const char* kDeclaration =
    R"(int NAME_attend(int layer, const float *queries, int n, const float *keys, const float *values,
                int m, float *output, float *scratch);
)";

}  // namespace

std::string operator_source(const Heads& heads, std::int64_t head_width,
                            const SourceDescription& description) {
  base::check(!heads.empty() && !heads.front().empty(), "operator_source: no heads");
  require_writable(heads);
  const std::int64_t count = std::ssize(heads.front());
  const ScratchSize scratch = attention_scratch(heads, head_width);
  Constants constants;
  const std::string tables = head_tables(heads, constants);
  std::string layers;
  for (std::size_t layer = 0; layer < heads.size(); ++layer)
    layers += (layer == 0 ? "heads_" : ", heads_") + std::to_string(layer);
  const auto text = [](std::int64_t value) { return std::to_string(value); };
  FileParts parts;
  parts.usage = kUsage;
  parts.declarations = "enum {\n  MACRO_LAYERS = " + text(std::ssize(heads)) +
                       ",\n  MACRO_HEADS = " + text(count) +
                       ",\n  MACRO_HEAD_WIDTH = " + text(head_width) +
                       ",\n  MACRO_WIDTH = " + text(count * head_width) +
                       "\n};\n#define MACRO_SCRATCH_FLOATS(tokens) \\\n  ((size_t)(tokens) * "
                       "((size_t)(tokens) + " +
                       text(scratch.each) + ") + " + text(scratch.fixed) + ")\n\n" + kDeclaration;
  parts.types = "enum { LAYERS = " + text(std::ssize(heads)) + ", HEADS = " + text(count) +
                ", HEAD_WIDTH = " + text(head_width) + " };\n\n" + runtime::kAttention;
  parts.tables = "\n/* ---- Numbers of the operator ---- */\n\n" + constants.text() + tables +
                 "static const attention_head *const operator_layers[] = {" + layers + "};\n";
  parts.code = runtime::kOperator;
  return c_file(description, parts);
}

}  // namespace asap::c_source
