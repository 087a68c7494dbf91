#include "data/dataset.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "data/idx_dataset.h"
#include "data/image_folders_dataset.h"
#include "data/image_records_dataset.h"
#include "data/listops_dataset.h"
#include "data/majority_dataset.h"
#include "data/matching_dataset.h"
#include "data/points_dataset.h"
#include "data/shapes_dataset.h"
#include "data/shift.h"
#include "data/solids_dataset.h"
#include "data/text_dataset.h"

namespace asap {
namespace {

/// Where each kind of data comes from; one line per kind.
Dataset load_kind(const DataConfig& config, Split split, std::shared_ptr<const TextCodec> codec) {
  switch (config.kind) {
    case DataKind::idx:
      return load_idx_dataset(config, split);
    case DataKind::shapes:
      return draw_shapes_dataset(config, split);
    case DataKind::majority:
      return draw_majority_dataset(config, split);
    case DataKind::points:
      return load_points_dataset(config, split);
    case DataKind::solids:
      return draw_solids_dataset(config, split);
    case DataKind::matching:
      return draw_matching_dataset(config, split);
    case DataKind::listops:
      return draw_listops_dataset(config, split);
    case DataKind::image_records:
      return load_image_records_dataset(config, split);
    case DataKind::image_folders:
      return load_image_folders_dataset(config, split);
    case DataKind::text:
      return load_text_dataset(config, split, std::move(codec));
  }
  throw InternalError("load_dataset: unknown kind");
}

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string image_sizes(const Dataset& dataset) {
  return "x" + std::to_string(dataset.channels) + "x" + std::to_string(dataset.height) + "x" +
         std::to_string(dataset.width);
}

}  // namespace

const char* split_name(Split split) { return split == Split::train ? "train" : "test"; }

std::int64_t Dataset::longest() const {
  std::int64_t most = 0;
  for (std::int64_t example = 0; example < size(); ++example)
    most = std::max(most, tokens(example));
  return most;
}

Dataset load_dataset(const DataConfig& config, Split split,
                     std::shared_ptr<const TextCodec> codec) {
  Dataset dataset = load_kind(config, split, std::move(codec));
  dataset.pixel_mean = config.pixel_mean;
  dataset.pixel_deviation = config.pixel_deviation;
  apply_shift(config.shift, dataset);
  keep_first(dataset, split == Split::train ? config.train_examples : config.test_examples);
  return dataset;
}

Dataset load_dataset_for(const RunFolder& run, const DataConfig& config, Split split) {
  return load_dataset(config, split,
                      config.kind == DataKind::text ? read_text_codec(run.text()) : nullptr);
}

std::string dataset_fingerprint(const Dataset& dataset) {
  // The parts are hashed on their own first, so that a byte cannot move from one to the other
  // unseen.
  const bool images = dataset.kind == ModelKind::vit;
  std::string text = std::to_string(dataset.size()) + (images ? image_sizes(dataset) : "") + "/" +
                     std::to_string(dataset.classes()) + " ";
  if (images)
    text += content_fingerprint(bytes_of(dataset.pixels));
  else
    text += std::to_string(dataset.vocabulary) + "x" + std::to_string(dataset.point_width) + " " +
            content_fingerprint(bytes_of(dataset.offsets)) + " " +
            content_fingerprint(bytes_of(dataset.ids)) + " " +
            content_fingerprint(bytes_of(dataset.points));
  return content_fingerprint(text + " " + content_fingerprint(bytes_of(dataset.labels)));
}

void keep_first(Dataset& dataset, std::int64_t count) {
  if (count <= 0 || count >= dataset.size()) return;
  std::vector<std::int64_t> first(static_cast<std::size_t>(count));
  std::iota(first.begin(), first.end(), std::int64_t{0});
  keep_examples(dataset, first);
}

std::vector<std::int64_t> length_order(const Dataset& dataset) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(dataset.size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, {}, [&](std::int64_t i) { return dataset.tokens(i); });
  return order;
}

std::int64_t count_scored(const Dataset& dataset, std::span<const std::int64_t> examples) {
  std::int64_t count = 0;
  for (const std::int64_t example : examples)
    for (std::int64_t i = 0; i < dataset.label_count(example); ++i)
      if (dataset.labels[dataset.first_label(example) + i] != kNotScored) ++count;
  return count;
}

}  // namespace asap
