#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/run_folder.h"
#include "data/dataset.h"

namespace asap::data {

/// Writes data.json into the folder of a run: for each part that was read from files, its absolute
/// folder and its fingerprint; and the names of the classes. Not part of config.json, which is the
/// same wherever the data lie. Drawn data leave no file.
void remember_data(const config::RunFolder& run, const Dataset& train, const Dataset& test);

/// The folder that one part of a run's data was read from; empty where the run remembers none.
std::string remembered_folder(const config::RunFolder& run, Split split);

/// The names of the classes; empty where the run remembers none.
std::vector<std::string> remembered_class_names(const config::RunFolder& run);

/// The data set that `load` returns, for a run that may remember its data. DataError of `load` gets
/// a hint that says where the run was trained. Where `config` is the run's own, DataError also when
/// the data are not those that the run remembers: they were found elsewhere, or have changed.
Dataset load_as_remembered(const config::RunFolder& run, const config::DataConfig& config,
                           Split split, const std::function<Dataset()>& load);

}  // namespace asap::data
