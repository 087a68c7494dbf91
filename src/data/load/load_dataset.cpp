#include "data/load/load_dataset.h"

#include <utility>

#include "base/error.h"
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

}  // namespace

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

}  // namespace asap
