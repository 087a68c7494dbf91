#include "compile/activation_file/live_rows.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "compile/activation_file/activation_names.h"

namespace asap::compile {
namespace {

struct Spelling {
  std::string name;
  bool is_mask;
};

std::vector<Spelling> spellings(TokenSide side) {
  const std::string one = side == TokenSide::queries ? "query_" : "key_";
  return {{one + "mask", true},
          {"mask", true},
          {one + "lengths", false},
          {side == TokenSide::queries ? "live_queries" : "live_keys", false},
          {"lengths", false}};
}

/// Every type that masks and lengths come in, as doubles, which hold what may be in them exactly.
std::vector<double> numbers(const io::StoredTensor& stored) {
  const auto widened = [](const auto& values) {
    return std::vector<double>(values.flat().begin(), values.flat().end());
  };
  switch (stored.type) {
    case io::ElementType::int32:
      return widened(stored.to<std::int32_t>());
    case io::ElementType::int64:
      return widened(stored.to<std::int64_t>());
    case io::ElementType::uint8:
      return widened(stored.to<std::uint8_t>());
    default:
      return widened(stored.to<double>());
  }
}

void require_shape(const io::TensorFile& file, const std::string& name,
                   const tensor::Shape& expected, const std::string& meaning) {
  const tensor::Shape& shape = file.at(name).shape;
  if (shape == expected) return;
  const bool shared = name == "mask" || name == "lengths";
  refuse_tensor(
      file, name, "expected " + expected.text() + ", " + meaning + ", got " + shape.text(),
      shared ? "where queries and keys differ, save query_" + name + " and key_" + name : "");
}

std::vector<std::vector<std::int32_t>> rows_of_mask(const io::TensorFile& file,
                                                    const std::string& name, std::int64_t examples,
                                                    std::int64_t tokens) {
  require_shape(file, name, {examples, tokens}, "examples and tokens");
  const std::vector<double> values = numbers(file.at(name));
  std::vector<std::vector<std::int32_t>> rows(static_cast<std::size_t>(examples));
  for (std::int64_t i = 0; i < std::ssize(values); ++i) {
    const double value = values[static_cast<std::size_t>(i)];
    if (value != 0 && value != 1)
      refuse_tensor(file, name,
                    "holds " + base::format_number(value) + " at [" + std::to_string(i / tokens) +
                        ", " + std::to_string(i % tokens) +
                        "], expected 1 for a live token and 0 for another",
                    "a mask that is added to scores is not one: save mask == 0");
    if (value == 1)
      rows[static_cast<std::size_t>(i / tokens)].push_back(static_cast<std::int32_t>(i % tokens));
  }
  return rows;
}

std::vector<std::vector<std::int32_t>> rows_of_lengths(const io::TensorFile& file,
                                                       const std::string& name,
                                                       std::int64_t examples, std::int64_t tokens) {
  require_shape(file, name, {examples}, "a number for each example");
  std::vector<std::vector<std::int32_t>> rows;
  for (const double length : numbers(file.at(name))) {
    if (!(length >= 0 && length <= static_cast<double>(tokens)) ||
        length != static_cast<double>(static_cast<std::int64_t>(length)))
      refuse_tensor(file, name,
                    base::format_number(length) + " is not a whole number between 0 and " +
                        std::to_string(tokens));
    auto& row = rows.emplace_back(static_cast<std::size_t>(length));
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<std::int32_t>(i);
  }
  return rows;
}

}  // namespace

LiveRows read_live_rows(const io::TensorFile& file, TokenSide side, std::int64_t examples,
                        std::int64_t tokens) {
  std::optional<Spelling> found;
  for (const Spelling& spelling : spellings(side)) {
    if (!file.tensors.contains(spelling.name)) continue;
    if (found)
      refuse_tensor(file, spelling.name,
                    "says which " + std::string(side == TokenSide::queries ? "queries" : "keys") +
                        " are live, as " + found->name + " does",
                    "keep one of them");
    found = spelling;
  }
  if (!found) return {};
  LiveRows out{found->is_mask ? rows_of_mask(file, found->name, examples, tokens)
                              : rows_of_lengths(file, found->name, examples, tokens),
               found->name};
  if (std::ranges::all_of(out.rows, [](const auto& row) { return row.empty(); }))
    refuse_tensor(file, found->name, "no example has a live token");
  return out;
}

}  // namespace asap::compile
