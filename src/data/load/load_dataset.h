#pragma once

#include <memory>

#include "config/run_folder.h"
#include "data/dataset.h"

namespace asap::data {

/// Reads or draws one part of the data. DataError names the file, with a hint what to install or
/// which flag to set when it is missing. Texts get the ids and classes of `codec`, or, when it is
/// null, those that their training part gives.
Dataset load_dataset(const config::DataConfig& config, Split split,
                     std::shared_ptr<const text::TextCodec> codec = nullptr);

/// The same for a network that a training run left: texts get the ids and classes of the training.
Dataset load_dataset_for(const config::RunFolder& run, const config::DataConfig& config,
                         Split split);

}  // namespace asap::data
