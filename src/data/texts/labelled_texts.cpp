#include "data/texts/labelled_texts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "io/json.h"

namespace asap::data {
namespace {

constexpr std::int64_t kMostClasses = 1000;  // more are no column of labels that anyone overlooks

std::string shown_column(const std::string& name) {
  return base::parse_number<int>(name) ? name : "'" + io::excerpt(name) + "'";
}

/// Hash of every text.
std::vector<std::string> hashes_of(const std::vector<std::string>& texts, std::uint64_t seed) {
  std::vector<std::string> hashes;
  hashes.reserve(texts.size());
  for (const std::string& text : texts)
    hashes.push_back(
        base::content_fingerprint(std::to_string(seed) + "\n" + std::string(base::trim(text))));
  return hashes;
}

/// Takes out of the test part what its classes need for training: the text of the first hash.
void leave_every_class_in_training(const std::vector<std::string>& labels,
                                   const std::vector<std::string>& hashes,
                                   std::set<std::string>& tested) {
  std::set<std::string> trained;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (!tested.contains(hashes[i])) trained.insert(labels[i]);
  std::map<std::string, std::string> missing;  // label -> hash
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (trained.contains(labels[i])) continue;
    std::string& first = missing.try_emplace(labels[i], hashes[i]).first->second;
    first = std::min(first, hashes[i]);
  }
  for (const auto& [label, hash] : missing) tested.erase(hash);
}

template <class T>
void keep_where(const std::vector<bool>& kept, std::vector<T>& values) {
  if (values.empty()) return;
  std::size_t end = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    if (end != i) values[end] = std::move(values[i]);
    ++end;
  }
  values.resize(end);
}

}  // namespace

std::string LabelledTexts::place(std::int64_t text) const {
  const auto index = static_cast<std::size_t>(text);
  return files.empty() ? source + ":" + std::to_string(lines[index]) : files[index];
}

void LabelledTexts::keep_first(std::int64_t count) {
  if (count <= 0 || count >= size()) return;
  const auto kept = static_cast<std::size_t>(count);
  labels.resize(kept);
  texts.resize(kept);
  lines.resize(std::min(lines.size(), kept));
  files.resize(std::min(files.size(), kept));
}

void LabelledTexts::keep_part(Split split, double test_fraction, std::uint64_t seed) {
  const std::vector<std::string> hashes = hashes_of(texts, seed);
  std::set<std::string> tested(hashes.begin(), hashes.end());
  const auto different = static_cast<double>(tested.size());
  const auto wanted = static_cast<std::ptrdiff_t>(
      std::clamp(std::round(test_fraction * different), 1.0, std::max(different - 1, 1.0)));
  tested.erase(std::next(tested.begin(), wanted), tested.end());
  leave_every_class_in_training(labels, hashes, tested);
  std::vector<bool> kept(texts.size());
  for (std::size_t i = 0; i < kept.size(); ++i)
    kept[i] = tested.contains(hashes[i]) == (split == Split::test);
  if (std::ranges::find(kept, true) == kept.end())
    throw base::DataError(source + ": too few texts for a test part: a class keeps one at least " +
                              "for training, and there are " + std::to_string(hashes.size()),
                          "raise data.test_fraction, or bring more texts");
  keep_where(kept, labels);
  keep_where(kept, texts);
  keep_where(kept, lines);
  keep_where(kept, files);
}

void ColumnValues::add(std::string_view value) {
  ++count_;
  if (different() <= kMostClasses) values_.emplace(value);
}

bool ColumnValues::look_like_labels() const {
  return different() >= 2 && different() <= kMostClasses && 2 * different() <= count_;
}

std::string ColumnValues::describe() const {
  return "column " + shown_column(name_) + " has " + base::counted(different(), "value");
}

bool ColumnValues::has_name_of_labels() const {
  for (const char* name : {"label", "labels", "class", "category", "target", "sentiment"})
    if (lower_case(name_) == name) return true;
  return false;
}

std::string likely_label_of(const std::vector<ColumnValues>& columns) {
  const ColumnValues* best = nullptr;
  for (const ColumnValues& column : columns) {
    if (!column.look_like_labels()) continue;
    const bool better = best && (column.has_name_of_labels() != best->has_name_of_labels()
                                     ? column.has_name_of_labels()
                                     : column.different() < best->different());
    if (!best || better) best = &column;
  }
  return best ? best->describe() : "";
}

void require_pair(const config::TextConfig& config, std::int64_t columns,
                  const std::string& place) {
  if (!config.pairs || columns == 2) return;
  throw base::DataError(
      place + ": data.text.pairs needs two columns of texts, found " + std::to_string(columns),
      "data.text.text_columns names them");
}

void refuse_repeated(const std::string& first, const std::string& second,
                     const std::string& place) {
  throw base::DataError(place + " names one column twice, '" + io::excerpt(first) +
                            (first == second ? "'" : "' and '" + io::excerpt(second) + "'"),
                        "name it once");
}

std::string join_columns(const config::TextConfig& config, std::span<const std::string> columns,
                         const std::string& place) {
  const std::string separator = kPairSeparator;
  for (const std::string& column : columns)
    if (config.pairs && column.find(separator) != std::string::npos)
      throw base::DataError(
          place + ": a text holds " + separator + ", which stands between the texts of a pair",
          "write it otherwise, or join both texts yourself and leave data.text.pairs out");
  return base::join(columns, config.pairs ? " " + separator + " " : " ");
}

std::string describe_columns(const std::string& label, const std::vector<std::string>& texts) {
  std::vector<std::string> shown;
  for (const std::string& name : texts) shown.push_back(shown_column(name));
  return "label column " + shown_column(label) + ", text " +
         (texts.size() == 1 ? "column " : "columns ") + base::join(shown, ", ");
}

}  // namespace asap::data
