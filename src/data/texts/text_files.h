#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/texts/labelled_texts.h"

namespace asap::data {

/// Reads one part of the data: the file data.text.train_file (test_file) if it is set; else, in the
/// folder data.path or, when that is empty, ASAP_DATA_DIR/text and ASAP_DATA_DIR, the first of
///   train.csv, .tsv, .jsonl, .ndjson, .json,   in the folder itself or its folders NAME, NAME_csv
///   also with .gz                              (AG News, DBpedia, Yelp as distributed)
///   train/CLASS/*.txt                          in the same folders or, for imdb, aclImdb (as
///                                              distributed; the class unsup is skipped);
///                                              hidden files and folders are left out, a
///                                              class without texts is refused
///   NAME_train*.csv and the like               in the folder itself or its folder NAME; where
///                                              there is no training part, NAME_val*
/// with test for the test part; upper and lower case are the same. With data.test_fraction there is
/// no test part: the training part (also NAME.csv and the like, and folders of classes in the
/// folder itself or NAME) is split, see LabelledTexts::keep_part. Class names: classes.txt, or
/// NAME_classes.txt or NAME_mapping.txt beside the latter. `header`: the column names of the
/// training file if they are known, so that an equal first line is recognised as the header.
/// DataError names file and line: as find_text_place, read_delimited_texts and read_json_texts.
LabelledTexts read_labelled_texts(const config::DataConfig& config, Split split,
                                  const std::vector<std::string>* header);

/// The class name of each label, from a file whose lines are "LABEL<TAB>NAME", or one name per line
/// for the labels 0, 1, ... (1, 2, ... when no label is 0). When labels are not numbers, such lines
/// are the labels themselves.
std::map<std::string, std::string> read_names_of_labels(const std::filesystem::path& path,
                                                        std::span<const std::string> labels);

}  // namespace asap::data
