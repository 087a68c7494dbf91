#include "data/load/load_dataset.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/counted.h"
#include "base/error.h"
#include "data/data_origin.h"
#include "data/images/idx_dataset.h"
#include "data/images/image_folders_dataset.h"
#include "data/images/image_records_dataset.h"
#include "data/images/shapes_dataset.h"
#include "data/points/matching_dataset.h"
#include "data/points/points_dataset.h"
#include "data/points/solids_dataset.h"
#include "data/shift.h"
#include "data/texts/listops_dataset.h"
#include "data/texts/majority_dataset.h"
#include "data/texts/text_dataset.h"

namespace asap::data {
namespace {

/// Where each kind of data comes from; one line per kind.
Dataset load_kind(const config::DataConfig& config, Split split,
                  std::shared_ptr<const text::TextCodec> codec) {
  switch (config.kind) {
    case config::DataKind::idx:
      return load_idx_dataset(config, split);
    case config::DataKind::shapes:
      return draw_shapes_dataset(config, split);
    case config::DataKind::majority:
      return draw_majority_dataset(config, split);
    case config::DataKind::points:
      return load_points_dataset(config, split);
    case config::DataKind::solids:
      return draw_solids_dataset(config, split);
    case config::DataKind::matching:
      return draw_matching_dataset(config, split);
    case config::DataKind::listops:
      return draw_listops_dataset(config, split);
    case config::DataKind::image_records:
      return load_image_records_dataset(config, split);
    case config::DataKind::image_folders:
      return load_image_folders_dataset(config, split);
    case config::DataKind::text:
      return load_text_dataset(config, split, std::move(codec));
  }
  throw base::InternalError("load_dataset: unknown kind");
}

/// Folders and texts, whose classes are read from the files, are checked where they are read.
bool comes_from_files_with_labels(config::DataKind kind) {
  return kind == config::DataKind::idx || kind == config::DataKind::image_records ||
         kind == config::DataKind::points;
}

}  // namespace

void require_several_classes(const Dataset& dataset) {
  if (dataset.size() < 2 ||
      std::ranges::adjacent_find(dataset.labels, std::ranges::not_equal_to()) !=
          dataset.labels.end())
    return;
  throw base::DataError(dataset.name + ": all " + base::counted(dataset.size(), "example") +
                            " have the label " + std::to_string(dataset.labels.front()),
                        "at least two classes are needed; are the labels those of these data?");
}

Dataset load_dataset(const config::DataConfig& config, Split split,
                     std::shared_ptr<const text::TextCodec> codec) {
  if (config.test_fraction > 0 && config.kind != config::DataKind::text)
    throw base::UsageError("data.test_fraction is for texts (data.kind=text) alone",
                           "--set data.test_fraction=0");
  Dataset dataset = load_kind(config, split, std::move(codec));
  if (split == Split::train && comes_from_files_with_labels(config.kind))
    require_several_classes(dataset);
  dataset.pixel_mean = config.pixel_mean;
  dataset.pixel_deviation = config.pixel_deviation;
  apply_shift(config.shift, dataset);
  keep_first(dataset, split == Split::train ? config.train_examples : config.test_examples);
  return dataset;
}

Dataset load_dataset_for(const config::RunFolder& run, const config::DataConfig& config,
                         Split split) {
  const auto codec =
      config.kind == config::DataKind::text ? text::read_text_codec(run.text()) : nullptr;
  return load_as_remembered(run, config, split, [&] { return load_dataset(config, split, codec); });
}

}  // namespace asap::data
