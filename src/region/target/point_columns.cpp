#include "region/target/point_columns.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/counted.h"
#include "base/error.h"
#include "base/text.h"
#include "io/json.h"
#include "io/number_fields.h"

namespace asap::region {
namespace {

constexpr std::size_t kX = 0, kY = 1, kWeight = 2;
constexpr std::array kFields = {"`x_column`", "`y_column`", "`weight_column`"};
constexpr const char* kHint =
    "choose `x_column` and `y_column`, by name or number from 1, or call the columns x, y and, for "
    "inverse variances, weight";

/// "x" for "X [mm]": the name in small letters, without a unit.
std::string plain_name(const std::string& name) {
  std::string plain = name.substr(0, name.find_first_of(" (["));
  std::ranges::transform(plain, plain.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return plain == "weights" ? "weight" : plain;
}

/// The columns of a file by what they are.
class Assignment {
 public:
  /// `names`: the header; empty for a file without one.
  Assignment(const std::vector<std::string>& names, std::size_t count, const ChosenColumns& chosen,
             const std::string& place)
      : names_(names), count_(count), place_(place) {
    const std::string repeated = io::repeated_name(names);
    if (!repeated.empty()) fail_twice(repeated);
    choose(kX, chosen.x);
    choose(kY, chosen.y);
    choose(kWeight, chosen.weight);
    short_weight_ = chosen.x.empty() && chosen.y.empty();
    for (std::size_t c = 0; c < count; ++c)
      if (std::ranges::find(columns_, c) == columns_.end()) sort_in(c);
  }

  PointColumns assign() {
    const std::size_t open = (columns_[kX] ? 0u : 1u) + (columns_[kY] ? 0u : 1u);
    const bool leaves_out = any_chosen() && open == 0;
    PointColumns result;
    if (!leaves_out) {
      leave_out_index(open, result.note);
      check_others(open);
      for (const std::size_t role : {kX, kY})
        if (!columns_[role]) columns_[role] = role == kX ? others_.front() : others_.back();
    }
    result.count = count_;
    result.x = *columns_[kX];
    result.y = *columns_[kY];
    result.weight = columns_[kWeight];
    result.note += note(leaves_out);
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what, const char* hint) const {
    throw base::DataError(place_ + ": " + what, hint);
  }
  [[noreturn]] void fail_twice(const std::string& name) const {
    fail("two columns are called '" + io::excerpt(name) + "'", "rename or remove one of them");
  }
  bool any_chosen() const { return std::ranges::find(chosen_, true) != chosen_.end(); }

  /// "column 2 'temperature'"
  std::string column_text(std::size_t column) const {
    const std::string name = names_.empty() ? "" : io::excerpt(names_[column]);
    return "column " + std::to_string(column + 1) + (name.empty() ? "" : " '" + name + "'");
  }

  void choose(std::size_t role, const std::string& wanted) {
    if (wanted.empty()) return;
    const std::size_t column = io::find_column(wanted, names_, count_, place_);
    for (std::size_t other = 0; other < role; ++other)
      if (columns_[other] == column)
        throw base::UsageError(std::string(kFields[other]) + " and " + kFields[role] +
                                   " are both " + column_text(column),
                               "choose two columns");
    columns_[role] = column;
    chosen_[role] = true;
  }

  void sort_in(std::size_t column) {
    const std::string name = names_.empty() ? "" : plain_name(names_[column]);
    const bool is_weight = name == "weight" || (name == "w" && short_weight_);
    const std::size_t role = name == "x" ? kX : name == "y" ? kY : kWeight;
    if ((role == kWeight && !is_weight) || chosen_[role])
      others_.push_back(column);
    else if (columns_[role])
      fail_twice(name);
    else
      columns_[role] = column;
  }

  /// Without the column that pandas writes first, unless it is needed.
  void leave_out_index(std::size_t open, std::string& note) {
    if (names_.empty() || others_.size() <= open || others_.front() != 0) return;
    if (!io::is_unnamed(names_[0])) return;
    others_.erase(others_.begin());
    note = "column 1 has no name and is left out; ";
  }

  /// The columns that are neither x nor y nor the weight must be as many as are missing.
  void check_others(std::size_t open) const {
    if (others_.size() > open && any_chosen() && open > 0)
      fail(base::counted(others_.size(), "column may be", "columns may be") + " " +
               (columns_[kX] ? "y" : "x") + (open == 2 ? " and y" : ""),
           columns_[kX] ? "choose one with `y_column`"
           : open == 2  ? "choose two with `x_column` and `y_column`"
                        : "choose one with `x_column`");
    if (others_.size() > open)
      fail("the column '" + io::excerpt(names_[others_[open]]) + "' is none of x, y and weight",
           "choose `x_column` and `y_column`, which leaves others out, or `weight_column` if it "
           "holds inverse variances");
    if (others_.size() < open) fail("there are no columns x and y", kHint);
    if (columns_[kX] && !columns_[kY] && !chosen_[kX] && others_.front() < *columns_[kX])
      fail("column x comes after that for y", kHint);
    if (columns_[kY] && !columns_[kX] && !chosen_[kY] && others_.front() > *columns_[kY])
      fail("column y comes before that for x", kHint);
  }

  std::string note(bool leaves_out) const {
    const std::size_t x = *columns_[kX], y = *columns_[kY];
    if (!any_chosen()) {
      if (x == 0 && y == 1 && columns_[kWeight].value_or(2) == 2) return "";
      return "the header makes column " + std::to_string(x + 1) + " x and column " +
             std::to_string(y + 1) + " y" +
             (columns_[kWeight]
                  ? ", column " + std::to_string(*columns_[kWeight] + 1) + " the weight"
                  : "");
    }
    std::string text =
        column_text(x) + " is x, " + column_text(y) + " y" +
        (columns_[kWeight] ? ", " + column_text(*columns_[kWeight]) + " the weight" : "");
    if (leaves_out && !others_.empty())
      text += others_.size() == 1 ? "; " + column_text(others_.front()) + " is left out"
                                  : "; " + std::to_string(others_.size()) + " others are left out";
    return text;
  }

  const std::vector<std::string>& names_;
  const std::size_t count_;
  const std::string& place_;
  std::array<std::optional<std::size_t>, 3> columns_;
  std::array<bool, 3> chosen_{};
  bool short_weight_ = true;  // w is the weight; a chosen x or y makes it a column like others
  std::vector<std::size_t> others_;
};

}  // namespace

PointColumns PointColumns::in_order(std::size_t count, const ChosenColumns& chosen,
                                    const std::string& place) {
  if (chosen.any()) return Assignment({}, count, chosen, place).assign();
  if (count < 2 || count > 3)
    throw base::DataError(
        place + ": " + base::counted(count, "column"),
        count == 1 ? "expected x, y and optionally a weight"
                   : "expected x, y and optionally a weight; of more columns, `x_column` and "
                     "`y_column` choose by number from 1");
  PointColumns columns;
  columns.count = count;
  if (count == 3) columns.weight = 2;
  return columns;
}

PointColumns PointColumns::from_names(const std::vector<std::string>& names,
                                      const ChosenColumns& chosen, const std::string& place) {
  return Assignment(names, names.size(), chosen, place).assign();
}

}  // namespace asap::region
