#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace asap::data {

/// Texts and their labels, as read from files.
struct LabelledTexts {
  std::string source;                ///< the file, or the folder of a class per folder
  std::vector<std::string> labels;   ///< [texts], trimmed
  std::vector<std::string> texts;    ///< [texts], valid UTF-8
  std::vector<std::int64_t> lines;   ///< [texts]: line in `source`; empty when every text is a file
  std::vector<std::string> files;    ///< [texts]: the file of each text; empty for a delimited file
  std::vector<std::string> header;   ///< column names; empty: the file has none
  std::filesystem::path class_file;  ///< file of class names; empty: none

  std::int64_t size() const { return std::ssize(labels); }
  /// The place of a text: "FILE:LINE", or its file.
  std::string place(std::int64_t text) const;
  void keep_first(std::int64_t count);
};

/// Reads one part of the data: the file data.text.train_file (test_file) if it is set; else, in the
/// folder data.path or, when that is empty, ASAP_DATA_DIR/text and ASAP_DATA_DIR, the first of
///   train.csv, train.tsv, also with .gz        in the folder itself or its folders NAME, NAME_csv
///                                              (AG News, DBpedia, Yelp as distributed)
///   train/CLASS/*.txt                          in the same folders or, for imdb, aclImdb (as
///                                              distributed; the class unsup is skipped);
///                                              hidden files and folders are left out, a
///                                              class without texts is refused
///   NAME_train*.csv, .tsv, also with .gz       in the folder itself or its folder NAME; where
///                                              there is no training part, NAME_val*
/// with test for the test part. Class names: classes.txt, or NAME_classes.txt or NAME_mapping.txt
/// beside the latter. `header`: the column names of the training file if they are known, so that an
/// equal first line is recognised as the header. DataError names file and line: as parse_delimited,
/// and for missing columns and empty labels.
LabelledTexts read_labelled_texts(const config::DataConfig& config, Split split,
                                  const std::vector<std::string>* header);

/// The class name of each label, from a file whose lines are "LABEL<TAB>NAME", or one name per line
/// for the labels 0, 1, ... (1, 2, ... when no label is 0). When labels are not numbers, such lines
/// are the labels themselves.
std::map<std::string, std::string> read_names_of_labels(const std::filesystem::path& path,
                                                        std::span<const std::string> labels);

}  // namespace asap::data
