#include "region/target/point_columns.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "io/json.h"
#include "io/number_fields.h"

namespace asap::region {
namespace {

constexpr const char* kHint = "call the columns x, y and, for inverse variances, weight";

/// "x" for "X [mm]": the name in small letters, without a unit.
std::string plain_name(const std::string& name) {
  std::string plain = name.substr(0, name.find_first_of(" (["));
  std::ranges::transform(plain, plain.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return plain == "w" || plain == "weights" ? "weight" : plain;
}

/// The columns of a header by what they are.
class HeaderColumns {
 public:
  HeaderColumns(const std::vector<std::string>& names, const std::string& place)
      : names_(names), place_(place) {
    const std::string repeated = io::repeated_name(names);
    if (!repeated.empty()) fail_twice(repeated);
    for (std::size_t c = 0; c < names.size(); ++c) {
      const std::string name = plain_name(names[c]);
      if (name == "x")
        set(x_, c);
      else if (name == "y")
        set(y_, c);
      else if (name == "weight")
        set(weight_, c);
      else
        others_.push_back(c);
    }
  }

  PointColumns assign() {
    const std::size_t open = (x_ ? 0u : 1u) + (y_ ? 0u : 1u);
    PointColumns columns;
    if (others_.size() > open && others_.front() == 0 && io::is_unnamed(names_[0])) {
      others_.erase(others_.begin());
      columns.note = "column 1 has no name and is left out; ";
    }
    if (others_.size() > open)
      fail("the column '" + io::excerpt(names_[others_[open]]) + "' is none of x, y and weight",
           "remove the column, or call it weight if it holds inverse variances");
    if (others_.size() < open) fail("there are no columns x and y", kHint);
    if (x_ && !y_ && others_.front() < *x_) fail("column x comes after that for y", kHint);
    if (y_ && !x_ && others_.front() > *y_) fail("column y comes before that for x", kHint);
    columns.count = names_.size();
    columns.x = x_ ? *x_ : others_.front();
    columns.y = y_ ? *y_ : others_.back();
    columns.weight = weight_;
    const bool in_order = columns.x == 0 && columns.y == 1 && weight_.value_or(2) == 2;
    if (!in_order)
      columns.note += "the header makes column " + std::to_string(columns.x + 1) +
                      " x and column " + std::to_string(columns.y + 1) + " y" +
                      (weight_ ? ", column " + std::to_string(*weight_ + 1) + " the weight" : "");
    return columns;
  }

 private:
  [[noreturn]] void fail(const std::string& what, const char* hint) const {
    throw base::DataError(place_ + ": " + what, hint);
  }
  [[noreturn]] void fail_twice(const std::string& name) const {
    fail("two columns are called '" + io::excerpt(name) + "'", "rename or remove one of them");
  }

  void set(std::optional<std::size_t>& column, std::size_t index) {
    if (column) fail_twice(plain_name(names_[index]));
    column = index;
  }

  const std::vector<std::string>& names_;
  const std::string& place_;
  std::optional<std::size_t> x_, y_, weight_;
  std::vector<std::size_t> others_;
};

}  // namespace

PointColumns PointColumns::in_order(std::size_t count, const std::string& place) {
  if (count < 2 || count > 3)
    throw base::DataError(
        place + ": " + std::to_string(count) + (count == 1 ? " column" : " columns"),
        "expected x, y and optionally a weight");
  PointColumns columns;
  columns.count = count;
  if (count == 3) columns.weight = 2;
  return columns;
}

PointColumns PointColumns::from_names(const std::vector<std::string>& names,
                                      const std::string& place) {
  return HeaderColumns(names, place).assign();
}

}  // namespace asap::region
