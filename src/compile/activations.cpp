#include "compile/activations.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "compile/activation_file/activation_names.h"
#include "compile/activation_file/live_rows.h"
#include "compile/activation_file/token_columns.h"
#include "compile/head_passes.h"
#include "io/json.h"
#include "io/npz.h"

namespace asap::compile {
namespace {

[[noreturn]] void fail(const io::TensorFile& file, const std::string& name, const std::string& what,
                       const std::string& hint = "") {
  throw base::DataError(file.source + ": " + name + ": " + what, hint);
}

/// H as the file states it; 0: it does not.
int stated_heads(const io::TensorFile& file) {
  if (const auto array = file.tensors.find("heads"); array != file.tensors.end()) {
    const io::StoredTensor& stored = array->second;
    if (stored.shape.size() == 1 && stored.type == io::ElementType::int64)
      if (const std::int64_t heads = stored.to<std::int64_t>()[0]; heads >= 1 && heads <= INT32_MAX)
        return static_cast<int>(heads);
    if (stored.shape.size() == 1 && stored.type == io::ElementType::int32)
      if (const std::int32_t heads = stored.to<std::int32_t>()[0]; heads >= 1) return heads;
    fail(file, "heads", "expected one whole number from 1");
  }
  const auto found = file.metadata.find("heads");
  if (found == file.metadata.end()) return 0;
  const std::optional<int> heads = base::parse_number<int>(found->second);
  if (heads && *heads >= 1) return *heads;
  throw base::DataError(file.source + ": metadata heads: expected a number from 1, got '" +
                        io::excerpt(found->second) + "'");
}

[[noreturn]] void refuse_unstated(const io::TensorFile& file, std::int64_t columns) {
  std::vector<std::string> divisors;
  for (std::int64_t heads = 1; heads <= columns; ++heads)
    if (columns % heads == 0) divisors.push_back(std::to_string(heads));
  throw base::UsageError(
      file.source + ": how many heads share the " + base::counted(columns, "column") +
          " of queries and keys is not stated (" + base::join(divisors, ", ") + " divide them)",
      "give `heads` N, or save the file with the metadata {\"heads\": \"N\"} or an array heads; or "
      "save "
      "[examples, heads, tokens, width], of several examples: some are fitted, others measured");
}

/// H of the first layer's queries. Columns of heads side by side look alike whatever it is, so it
/// is not guessed.
int known_heads(const io::TensorFile& file, const RoleTensors& queries, int given) {
  const int stated = stated_heads(file);
  if (given > 0 && stated > 0 && given != stated)
    throw base::UsageError(file.source + ": holds " + base::counted(stated, "head") +
                               " by its metadata, not " + std::to_string(given),
                           "leave `heads` out");
  const int wanted = std::max(given, stated);
  const auto visible = static_cast<int>(visible_heads(file, queries));
  const std::string& name = queries.names.at(0);
  const tensor::Shape& shape = file.at(name).shape;
  if (visible > 0 && wanted > 0 && visible != wanted)
    throw base::UsageError(
        file.source + ": " + name + ": " + base::counted(visible, "head") + ", not " +
            std::to_string(wanted) + ", by its " +
            (queries.per_head ? "number of tensors" : "shape " + shape.text()),
        !queries.per_head && shape[2] == wanted
            ? "the axes are [examples, heads, tokens, width]: save q.transpose(1, 2)"
            : "leave `heads` out");
  if (visible > 0) return visible;
  if (wanted > 0 || shape.rank() != 3)
    return std::max(wanted, 1);  // other shapes are refused later
  refuse_unstated(file, shape[2]);
}

/// All tensors have the type of the first.
void require_one_type(const io::TensorFile& file, const std::vector<LayerTensors>& layers) {
  const std::string& first = layers.at(0).queries.names.at(0);
  const std::string_view type = io::file_type_name(file.at(first));
  for (const LayerTensors& layer : layers)
    for (const RoleTensors* role : {&layer.queries, &layer.keys, &layer.values})
      for (const std::string& name : role->names)
        if (const std::string_view other = io::file_type_name(file.at(name)); other != type)
          fail(file, name,
               "is of " + std::string(other) + ", but " + first + " of " + std::string(type),
               "save all in one type");
}

/// What all tensors of one side share.
struct SideShape {
  std::int64_t examples, tokens, heads;
};

void require_side(const io::TensorFile& file, const TokenColumns& columns, const SideShape& side) {
  if (columns.heads() != side.heads)
    fail(file, columns.name(),
         base::counted(columns.heads(), "head") + ", expected " + std::to_string(side.heads),
         columns.heads() < side.heads && side.heads % columns.heads() == 0
             ? "heads that share keys need a copy each: repeat_interleave(" +
                   std::to_string(side.heads / columns.heads()) + ", 1)"
             : "");
  if (columns.examples() != side.examples || columns.tokens() != side.tokens)
    fail(file, columns.name(),
         "expected " + base::counted(side.examples, "example") + " of " +
             base::counted(side.tokens, "token") + ", got " + columns.shape().text());
}

struct Sides {
  SideShape queries, keys;
  LiveRows live_queries, live_keys;
};

LayerActivations read_layer(const io::TensorFile& file, const LayerTensors& tensors,
                            const Sides& sides, double epsilon) {
  const std::int64_t heads = sides.queries.heads;
  const TokenColumns queries(file, tensors.queries, heads), keys(file, tensors.keys, heads);
  require_side(file, queries, sides.queries);
  require_side(file, keys, sides.keys);
  if (queries.width() != keys.width())
    fail(file, keys.name(),
         "width " + std::to_string(keys.width()) + " of a head differs from the queries' " +
             std::to_string(queries.width()));
  LayerActivations layer;
  layer.queries = queries.read(file, sides.live_queries);
  layer.keys = keys.read(file, sides.live_keys);
  if (!tensors.values.names.empty()) {
    const TokenColumns values(file, tensors.values, heads);
    require_side(file, values, sides.keys);
    layer.values = values.read(file, sides.live_keys);
  }
  layer.score_scales.assign(static_cast<std::size_t>(heads),
                            1 / (std::sqrt(static_cast<double>(queries.width())) * epsilon));
  return layer;
}

std::vector<std::int32_t> live_counts(const LiveRows& live) {
  std::vector<std::int32_t> counts;
  for (const auto& row : live.rows) counts.push_back(static_cast<std::int32_t>(row.size()));
  return counts;
}

/// "mask: 40 of 64 tokens live"
std::string live_words(const LiveRows& live, const SideShape& side, const std::string& tokens) {
  if (live.all()) return "all " + tokens + " live";
  std::int64_t count = 0;
  for (const auto& row : live.rows) count += std::ssize(row);
  return live.name + ": " + base::format_count(count) + " of " +
         base::format_count(side.examples * side.tokens) + " " + tokens + " live";
}

std::string shape_words(const io::TensorFile& file, const RoleTensors& tensors) {
  if (tensors.names.empty()) return "no values";
  return tensors.names[0] + " " + file.at(tensors.names[0]).shape.text();
}

/// How the first layer was understood, and the live tokens.
std::string file_words(const io::TensorFile& file, const LayerTensors& first, const Sides& sides) {
  std::string text = shape_words(file, first.queries) + ", " + shape_words(file, first.keys) +
                     ", " + shape_words(file, first.values) + "; " +
                     std::string(io::file_type_name(file.at(first.queries.names[0]))) + "; ";
  if (sides.live_queries.name == sides.live_keys.name)
    text += live_words(sides.live_queries, sides.queries, "tokens");
  else
    text += live_words(sides.live_queries, sides.queries, "query tokens") + ", " +
            live_words(sides.live_keys, sides.keys, "key tokens");
  std::int64_t empty = 0;
  for (std::size_t b = 0; b < static_cast<std::size_t>(sides.queries.examples); ++b)
    empty += (!sides.live_queries.all() && sides.live_queries.rows[b].empty()) ||
             (!sides.live_keys.all() && sides.live_keys.rows[b].empty());
  if (empty > 0) text += "; " + base::counted(empty, "example") + " without live tokens left out";
  return text;
}

}  // namespace

Activations read_activations(const std::filesystem::path& path, const ActivationsConfig& teacher) {
  const std::string bytes = base::read_file(path);
  const std::string name = path.filename().string();
  if (io::is_npz(bytes)) {
    if (bytes.find("/data.pkl") != std::string::npos)
      throw base::DataError(
          path.string() + ": is a file of torch.save, expected safetensors or npz",
          "safetensors.torch.save_file({\"q\": q, \"k\": k}, FILE)");
    return activations_from(io::parse_npz(bytes, path.string()), name, teacher);
  }
  if (bytes.starts_with("\x93NUMPY"))
    throw base::DataError(path.string() + ": is a single array, expected queries and keys",
                          "numpy.savez(FILE, q=queries, k=keys)");
  return activations_from(io::parse_safetensors(bytes, path.string()), name, teacher);
}

Activations activations_from(const io::TensorFile& file, const std::string& name,
                             const ActivationsConfig& config) {
  const std::vector<LayerTensors> layers = sort_activations(file);
  const int heads = known_heads(file, layers[0].queries, config.heads);
  const TokenColumns queries(file, layers[0].queries, heads), keys(file, layers[0].keys, heads);
  require_one_type(file, layers);
  Sides sides{{queries.examples(), queries.tokens(), heads},
              {queries.examples(), keys.tokens(), heads},
              read_live_rows(file, TokenSide::queries, queries.examples(), queries.tokens()),
              {}};
  require_side(file, keys, sides.keys);
  sides.live_keys = read_live_rows(file, TokenSide::keys, queries.examples(), keys.tokens());

  Activations out;
  out.examples = queries.examples();
  out.heads = heads;
  out.iterations = config.iterations;
  out.source = name;
  for (const LayerTensors& layer : layers)
    out.layers.push_back(read_layer(file, layer, sides, config.epsilon));
  out.live_queries = live_counts(sides.live_queries);
  out.live_keys = live_counts(sides.live_keys);
  out.file_form = file_words(file, layers[0], sides);
  if (const auto known = file.metadata.find("model_fingerprint"); known != file.metadata.end())
    out.model_fingerprint = known->second;
  return out;
}

void require_live_examples(const Activations& activations, const CompileConfig& config) {
  const attention::AttentionBatch<float> batch = activations.batch(0);
  for (const ExampleRange& range :
       {ExampleRange{0, config.calibration}, ExampleRange{config.calibration, config.held_out}}) {
    bool found = range.first + range.count > activations.examples;
    for (std::int64_t e = range.first; !found && e < range.first + range.count; ++e)
      found = is_live(batch, e);
    if (!found) refuse_empty(activations.source, range);
  }
}

std::string describe(const Activations& activations) {
  const LayerActivations& first = activations.layers.at(0);
  const std::int64_t queries = first.queries.shape()[0] / activations.examples;
  const std::int64_t keys = first.keys.shape()[0] / activations.examples;
  std::vector<std::string> widths;
  for (const LayerActivations& layer : activations.layers)
    widths.push_back(std::to_string(layer.queries.shape()[1] / activations.heads));
  if (std::ranges::all_of(widths, [&](const std::string& width) { return width == widths[0]; }))
    widths.resize(1);
  return base::counted(activations.examples, "example") + " of " +
         (queries == keys ? base::counted(queries, "token")
                          : base::counted(queries, "query token") + " and " +
                                base::counted(keys, "key token")) +
         ", " + base::counted(std::ssize(activations.layers), "layer") + " of " +
         base::counted(activations.heads, "head") + ", width " + base::join(widths, ", ");
}

}  // namespace asap::compile
