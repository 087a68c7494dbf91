#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "io/delimited.h"
#include "io/json.h"
#include "predict/input.h"

namespace asap::predict {

/// The columns of a delimited file that hold text, label and identifier.
struct TextColumns {
  std::vector<std::size_t> texts;
  std::optional<std::size_t> label, id;
  std::size_t count = 0;     ///< of columns
  bool names_first = false;  ///< whether the first record names them
};

/// Chooses them by the first record of a file. It names the columns where config.header says so,
/// where it is the header of the training file, where columns are chosen by name, or where all its
/// fields are usual names of columns (text, label, id, ...). Text and label are then found by their
/// names in the training; a file without header has the columns of the training, or one column of
/// texts without label. DataError names `place` and the columns that are there.
TextColumns choose_columns(const std::vector<std::string>& first, const bundle::TrainedModel& model,
                           const InputConfig& config, const std::string& place);

/// The keys of JSON objects that hold text, label and identifier. A missing label or identifier is
/// no error.
struct TextKeys {
  std::vector<std::string> texts;
  std::string label, id;  ///< empty: none
};

/// The same for the first object of a file: the keys of the training, else `text` or all keys with
/// texts, `label` and `id`.
TextKeys choose_keys(const io::Json& first, const bundle::TrainedModel& model,
                     const InputConfig& config, const std::string& place);

/// How the fields of CSV or TSV are separated, as in the training where that says so.
io::DelimitedFormat delimited_format(const bundle::TrainedModel& model, TextFormat format);

}  // namespace asap::predict
