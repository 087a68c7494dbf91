#pragma once

#include <memory>

#include "config/run_folder.h"
#include "data/dataset.h"

namespace asap::data {

/// Reads or draws one part of the data. DataError names the file; for a missing file its hint says
/// what to install or which key to set. Files for training whose labels are all the same are
/// refused, and data.test_fraction for anything but texts (UsageError). Texts get the ids and
/// classes of `codec` or, when it is null, those of their training part.
Dataset load_dataset(const config::DataConfig& config, Split split,
                     std::shared_ptr<const text::TextCodec> codec = nullptr);

/// DataError when all examples have one label: a network that is trained on them learns nothing,
/// with an accuracy of 1.
void require_several_classes(const Dataset& dataset);

/// The same as load_dataset for a trained network: texts get the ids and classes of its run. With
/// the data of the run's own configuration, DataError says where it was trained when they are
/// missing or others are found: see data/data_origin.h.
Dataset load_dataset_for(const config::RunFolder& run, const config::DataConfig& config,
                         Split split);

}  // namespace asap::data
