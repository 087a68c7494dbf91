#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Reads sets of points from the folder data.path, or ASAP_DATA_DIR/<data.name> when data.path is
/// empty. For each part of the data (train, test) the folder holds one of
///   train.csv, train.csv.gz                 see parse_delimited_points
///   train_points.npy and train_labels.npy   [sets, points, coordinates] and [sets]
///   a file whose name contains train and ends in .bin or .bin.gz: see parse_modelnet
/// and optionally classes.txt, one name per line. DataError as the readers, and for labels outside
/// the classes.
Dataset load_points_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
