#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "config/text_config.h"
#include "data/dataset.h"

namespace asap::data {

/// Texts and their labels, as read from files.
struct LabelledTexts {
  std::string source;                ///< the file, or the folder of a class per folder
  std::vector<std::string> labels;   ///< [texts], trimmed
  std::vector<std::string> texts;    ///< [texts], valid UTF-8
  std::vector<std::int64_t> lines;   ///< [texts]: line in `source`; empty when every text is a file
  std::vector<std::string> files;    ///< [texts]: the file of each text; empty for one file of all
  std::vector<std::string> header;   ///< column names of a delimited file; empty: it has none
  std::filesystem::path class_file;  ///< file of class names; empty: none
  std::string skipped;               ///< as Dataset::skipped
  std::string columns;               ///< as Dataset::columns
  std::string likely_label;          ///< as Dataset::likely_label
  std::string warning;               ///< as Dataset::warning

  std::int64_t size() const { return std::ssize(labels); }
  /// The place of a text: "FILE:LINE", or its file.
  std::string place(std::int64_t text) const;
  void keep_first(std::int64_t count);
  /// Keeps the training or the test part of texts that were not parted, see data.test_fraction:
  /// texts in the order of a hash of (seed, text without blanks around it), the first of which are
  /// tested on, so that equal texts fall on one side and the order of the file does not matter. At
  /// least one different text lies on each side, and every class in the training part. DataError
  /// when there are too few.
  void keep_part(Split split, double test_fraction, std::uint64_t seed);
};

/// The different values of a column, as far as they tell whether it holds labels.
class ColumnValues {
 public:
  explicit ColumnValues(std::string name) : name_(std::move(name)) {}

  void add(std::string_view value);
  /// Values that differ, and repeat.
  bool look_like_labels() const;
  std::int64_t different() const { return std::ssize(values_); }
  /// "column 'label' has 2 values"
  std::string describe() const;
  /// For a column that is named as columns of labels are.
  bool has_name_of_labels() const;

 private:
  std::string name_;
  std::unordered_set<std::string> values_;  // no more than it takes to see that they are none
  std::int64_t count_ = 0;
};

/// Describes the column that looks most like labels; empty: none does.
std::string likely_label_of(const std::vector<ColumnValues>& columns);

/// The token between the two texts of a pair, that of a pretrained tokenizer.
inline constexpr const char* kPairSeparator = "[SEP]";

/// The text columns of an example become its text, pairs with kPairSeparator between them.
/// DataError where data.text.pairs needs two texts and there are not two columns (`place` names the
/// file) or one holds the separator itself
/// (`place` names the line).
void require_pair(const config::TextConfig& config, std::int64_t columns, const std::string& place);
std::string join_columns(const config::TextConfig& config, std::span<const std::string> columns,
                         const std::string& place);

/// DataError: two of the columns of the text, by these names, are one, which would count twice.
[[noreturn]] void refuse_repeated(const std::string& first, const std::string& second,
                                  const std::string& place);

/// refuse_repeated where two columns are one. `named`: as the user wrote them; `found`: the names
/// or numbers that tell columns apart; `place`: file and field.
template <class Column>
void require_distinct(const std::vector<std::string>& named, const std::vector<Column>& found,
                      const std::string& place) {
  for (std::size_t k = 0; k < named.size(); ++k)
    for (std::size_t other = 0; other < k; ++other)
      if (found[other] == found[k]) refuse_repeated(named[other], named[k], place);
}

/// "label column 'stars', text columns 'title', 'body'". Columns without a name are numbers.
std::string describe_columns(const std::string& label, const std::vector<std::string>& texts);

}  // namespace asap::data
