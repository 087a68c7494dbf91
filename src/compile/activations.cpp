#include "compile/activations.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/text.h"
#include "io/json.h"

namespace asap::compile {
namespace {

[[noreturn]] void fail(const io::TensorFile& file, const std::string& name,
                       const std::string& what) {
  throw base::DataError(file.source + ": " + name + ": " + what);
}

/// DataError unless the shape is [B, tokens, H * D].
void require_tokens(const io::TensorFile& file, const std::string& name,
                    const tensor::Shape& shape) {
  if (shape.rank() == 3 && shape.size() > 0) return;
  throw base::DataError(file.source + ": " + name +
                            ": expected [examples, tokens, heads * width], got " + shape.text(),
                        shape.rank() == 4
                            ? "put the heads side by side: q.transpose(1, 2).flatten(2) of "
                              "[examples, heads, tokens, width]"
                            : "");
}

/// H as the file states it; 0: it does not.
int stated_heads(const io::TensorFile& file) {
  const auto found = file.metadata.find("heads");
  if (found == file.metadata.end()) return 0;
  const std::optional<int> heads = base::parse_number<int>(found->second);
  if (heads && *heads >= 1) return *heads;
  throw base::DataError(file.source + ": metadata heads: expected a number from 1, got '" +
                        io::excerpt(found->second) + "'");
}

/// The number of heads in `columns` columns. They look alike whatever it is, so it is not guessed.
int known_heads(const io::TensorFile& file, std::int64_t columns, int given) {
  const int stated = stated_heads(file);
  if (given > 0 && stated > 0 && given != stated)
    throw base::UsageError(file.source + ": holds " + std::to_string(stated) +
                               " heads by its metadata, not " + std::to_string(given),
                           "leave `heads` out");
  if (given > 0 || stated > 0) return std::max(given, stated);
  std::vector<std::string> divisors;
  for (std::int64_t heads = 1; heads <= columns; ++heads)
    if (columns % heads == 0) divisors.push_back(std::to_string(heads));
  throw base::UsageError(file.source + ": how many heads share the " + std::to_string(columns) +
                             " columns of queries and keys is not stated (" +
                             base::join(divisors, ", ") + " divide them)",
                         "give `heads` N, or save the file with the metadata {\"heads\": \"N\"}");
}

/// A tensor [B, tokens, H * D] with its first two dimensions folded; finite.
tensor::Tensor<float> read_tokens(const io::TensorFile& file, const std::string& name,
                                  std::int64_t examples, std::int64_t tokens, std::int64_t heads) {
  const io::StoredTensor& stored = file.at(name);
  const tensor::Shape& shape = stored.shape;
  require_tokens(file, name, shape);
  if ((examples > 0 && shape[0] != examples) || (tokens > 0 && shape[1] != tokens))
    fail(file, name,
         "expected " + std::to_string(examples) + " examples" +
             (tokens > 0 ? " of " + std::to_string(tokens) + " tokens" : "") + ", got " +
             shape.text());
  if (shape[2] % heads != 0)
    fail(file, name,
         "last dimension " + std::to_string(shape[2]) + " is not a multiple of " +
             std::to_string(heads) + " heads");
  if (stored.type != io::ElementType::float32 && stored.type != io::ElementType::float64)
    fail(file, name, "expected float32, got " + std::string(io::element_name(stored.type)));
  const tensor::Tensor<float> values = stored.to<float>();
  for (const float value : values.flat())
    if (!std::isfinite(value)) fail(file, name, "holds a value that is not finite");
  tensor::Tensor<float> folded({shape[0] * shape[1], shape[2]});
  std::copy_n(values.data(), values.size(), folded.data());
  return folded;
}

std::vector<std::int32_t> read_live(const io::TensorFile& file, const std::string& name,
                                    std::int64_t examples, std::int64_t tokens) {
  if (!file.tensors.contains(name)) return {};
  const tensor::Tensor<std::int32_t> live = file.get<std::int32_t>(name, {examples});
  for (const std::int32_t count : live.flat())
    if (count < 0 || count > tokens)
      fail(file, name, std::to_string(count) + " is not between 0 and " + std::to_string(tokens));
  return {live.data(), live.data() + live.size()};
}

LayerActivations read_layer(const io::TensorFile& file, const std::string& prefix,
                            const tensor::Shape& first_queries, const tensor::Shape& first_keys,
                            const ActivationsConfig& teacher) {
  LayerActivations layer;
  layer.queries =
      read_tokens(file, prefix + "queries", first_queries[0], first_queries[1], teacher.heads);
  layer.keys = read_tokens(file, prefix + "keys", first_queries[0], first_keys[1], teacher.heads);
  if (layer.queries.shape()[1] != layer.keys.shape()[1])
    fail(file, prefix + "keys",
         "width " + std::to_string(layer.keys.shape()[1]) + " differs from the queries' " +
             std::to_string(layer.queries.shape()[1]));
  if (file.tensors.contains(prefix + "values"))
    layer.values =
        read_tokens(file, prefix + "values", first_queries[0], first_keys[1], teacher.heads);
  const std::int64_t width = layer.queries.shape()[1] / teacher.heads;
  layer.score_scales.assign(teacher.heads,
                            1 / (std::sqrt(static_cast<double>(width)) * teacher.epsilon));
  return layer;
}

}  // namespace

Activations read_activations(const std::filesystem::path& path, const ActivationsConfig& teacher) {
  return activations_from(io::read_safetensors(path), path.filename().string(), teacher);
}

Activations activations_from(const io::TensorFile& file, const std::string& name,
                             const ActivationsConfig& config) {
  const auto prefix = [](std::size_t layer) { return "layers." + std::to_string(layer) + "."; };
  const tensor::Shape queries = file.at(prefix(0) + "queries").shape;
  const tensor::Shape keys = file.at(prefix(0) + "keys").shape;
  require_tokens(file, prefix(0) + "queries", queries);
  require_tokens(file, prefix(0) + "keys", keys);
  ActivationsConfig teacher = config;
  teacher.heads = known_heads(file, queries[2], config.heads);

  Activations out;
  out.examples = queries[0];
  out.heads = teacher.heads;
  out.iterations = teacher.iterations;
  out.source = name;
  for (std::size_t layer = 0; file.tensors.contains(prefix(layer) + "queries"); ++layer)
    out.layers.push_back(read_layer(file, prefix(layer), queries, keys, teacher));
  out.live_queries = read_live(file, "live_queries", queries[0], queries[1]);
  out.live_keys = read_live(file, "live_keys", queries[0], keys[1]);
  if (const auto known = file.metadata.find("model_fingerprint"); known != file.metadata.end())
    out.model_fingerprint = known->second;
  return out;
}

std::string describe(const Activations& activations) {
  const LayerActivations& first = activations.layers.at(0);
  const std::int64_t queries = first.queries.shape()[0] / activations.examples;
  const std::int64_t keys = first.keys.shape()[0] / activations.examples;
  const auto count = [](std::int64_t number, const std::string& word) {
    return base::format_count(number) + " " + word + (number == 1 ? "" : "s");
  };
  std::vector<std::string> widths;
  for (const LayerActivations& layer : activations.layers)
    widths.push_back(std::to_string(layer.queries.shape()[1] / activations.heads));
  if (std::ranges::all_of(widths, [&](const std::string& width) { return width == widths[0]; }))
    widths.resize(1);
  return count(activations.examples, "example") + " of " +
         (queries == keys ? count(queries, "token")
                          : count(queries, "query token") + " and " + count(keys, "key token")) +
         ", " + count(std::ssize(activations.layers), "layer") + " of " +
         count(activations.heads, "head") + ", width " + base::join(widths, ", ");
}

}  // namespace asap::compile
