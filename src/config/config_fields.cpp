#include "config/config_fields.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "config/absent_fields.h"
#include "config/field_range.h"

namespace asap::config::detail {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::string type_name(const FieldReference& member) {
  return std::visit(
      Overloaded{[](bool*) { return "true or false"; }, [](int*) { return "integer"; },
                 [](std::int64_t*) { return "integer"; }, [](std::uint64_t*) { return "integer"; },
                 [](double*) { return "number"; }, [](std::string*) { return "text"; },
                 [](std::vector<int>*) { return "list of integers"; },
                 [](std::vector<std::string>*) { return "list of texts"; }},
      member);
}

io::Json value_of(const FieldReference& member) {
  return std::visit([](const auto* pointer) { return io::Json(*pointer); }, member);
}

/// A refused value as people write numbers: 4e7, not 40000000.0.
std::string value_text(const io::Json& value) {
  if (!value.is_number_float()) return io::excerpt(io::format_json_line(value));
  if (!std::isfinite(value.get<double>())) return base::format_number(value.get<double>());
  std::string text = base::format_number(value.get<double>());
  if (const std::size_t exponent = text.find("e+"); exponent != text.npos)
    text.erase(exponent + 1, text[exponent + 2] == '0' ? 2 : 1);
  return text;
}

/// `value` as a whole number of type I if it is one and fits; 1e3 is one, 2.5 is not.
template <class I>
bool read_integer(const io::Json& value, I* out) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (!std::in_range<I>(number)) return false;
    *out = static_cast<I>(number);
    return true;
  }
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (!std::in_range<I>(number)) return false;
    *out = static_cast<I>(number);
    return true;
  }
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  constexpr double kExact =
      9007199254740992.0;  // 2^53: whole doubles up to here are what was written
  if (number != std::floor(number) || std::abs(number) > kExact) return false;
  if (!std::in_range<I>(static_cast<std::int64_t>(number))) return false;
  *out = static_cast<I>(number);
  return true;
}

bool read_value(const io::Json& value, bool* out) {
  if (value.is_boolean()) *out = value.get<bool>();
  return value.is_boolean();
}
bool read_value(const io::Json& value, int* out) { return read_integer(value, out); }
bool read_value(const io::Json& value, std::int64_t* out) { return read_integer(value, out); }
bool read_value(const io::Json& value, std::uint64_t* out) { return read_integer(value, out); }
bool read_value(const io::Json& value, double* out) {
  if (value.is_number()) *out = value.get<double>();
  return value.is_number();
}
bool read_value(const io::Json& value, std::string* out) {
  if (value.is_string()) *out = value.get<std::string>();
  return value.is_string();
}
template <class T>
bool read_value(const io::Json& value, std::vector<T>* out) {
  if (!value.is_array()) return false;
  std::vector<T> items;
  for (const io::Json& item : value)
    if (!read_value(item, &items.emplace_back())) return false;
  *out = std::move(items);
  return true;
}

template <class T>
bool value_inside(const FieldRange& range, const T& value) {
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
    return inside(range, static_cast<double>(value));
  return true;
}
bool value_inside(const FieldRange& range, const std::vector<int>& values) {
  return std::all_of(values.begin(), values.end(), [&](int value) { return inside(range, value); });
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

/// Whether `word` is made of the first letters of a name's words: lr of learning_rate.
bool abbreviates(const std::string& word, const std::string& name) {
  const std::vector<std::string> words = base::split(name, '_');
  return words.size() > 1 && words.size() == word.size() &&
         std::equal(words.begin(), words.end(), word.begin(),
                    [](const std::string& part, char letter) { return part.starts_with(letter); });
}

/// Path of the field, anywhere, whose own name is nearest to a mistyped one; else "".
std::string field_with_similar_name(const std::string& name,
                                    const std::vector<FieldDescription>& fields) {
  std::vector<std::string> names;
  for (const FieldDescription& field : fields) names.push_back(last_part(field.path));
  const std::string nearest = base::nearest_name(name, names);
  const auto found = std::find(names.begin(), names.end(), nearest);
  return found == names.end() ? "" : fields[static_cast<std::size_t>(found - names.begin())].path;
}

}  // namespace

void FieldWriter::visit_field(const FieldInfo& info, FieldReference member) {
  (*open_.back())[info.name] = value_of(member);
}

void FieldWriter::visit_choice(const FieldInfo& info, const std::vector<std::string>& names,
                               std::size_t& selected) {
  (*open_.back())[info.name] = names[selected];
}

bool FieldWriter::enter_group(const FieldInfo& info) {
  open_.push_back(&((*open_.back())[info.name] = io::Json::object()));
  return true;
}

void FieldWriter::leave_group() { open_.pop_back(); }

void FieldLister::visit_field(const FieldInfo& info, FieldReference member) {
  fields.push_back({prefix_.back() + info.name, type_name(member), info.doc, value_of(member),
                    std::holds_alternative<std::string*>(member)});
}

void FieldLister::visit_choice(const FieldInfo& info, const std::vector<std::string>& names,
                               std::size_t& selected) {
  fields.push_back({prefix_.back() + info.name, base::join(names, "|"), info.doc,
                    io::Json(names[selected]), true});
}

bool FieldLister::enter_group(const FieldInfo& info) {
  prefix_.push_back(prefix_.back() + info.name + ".");
  return true;
}

void FieldLister::leave_group() { prefix_.pop_back(); }

FieldReader::FieldReader(const io::Json& root, std::vector<FieldDescription> fields,
                         std::string source)
    : fields_(std::move(fields)), source_(std::move(source)), open_{{&root, "", {}}} {
  if (!root.is_object())
    throw base::UsageError(source_ + ": a configuration must be a JSON object, got " +
                           root.type_name());
}

void FieldReader::finish() { check_no_unknown_key(); }

const io::Json* FieldReader::find(const FieldInfo& info) {
  open_.back().known.emplace_back(info.name);
  const auto found = open_.back().object->find(info.name);
  return found == open_.back().object->end() ? nullptr : &*found;
}

void FieldReader::visit_field(const FieldInfo& info, FieldReference member) {
  const io::Json* value = find(info);
  if (!value) return;
  const std::string path = open_.back().prefix + info.name;
  std::visit(
      [&](auto* pointer) {
        if (!read_value(*value, pointer)) fail_type(path, type_name(member), *value);
        if (!value_inside(info.range, *pointer)) {
          const std::string name = source_.empty() ? "`" + path + "`" : path;
          throw base::UsageError((source_.empty() ? "" : source_ + ": ") + name + " must be " +
                                     range_text(info.range) + ", got " + value_text(*value),
                                 name + ": " + info.doc);
        }
      },
      member);
}

void FieldReader::visit_choice(const FieldInfo& info, const std::vector<std::string>& names,
                               std::size_t& selected) {
  const io::Json* value = find(info);
  if (!value) return;
  const std::string path = open_.back().prefix + info.name;
  if (!value->is_string()) fail_type(path, "one of " + base::join(names, ", "), *value);
  const auto& text = value->get_ref<const std::string&>();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    const std::string nearest = base::nearest_name(text, names);
    throw base::UsageError(source_ + ": " + path + " must be one of " + base::join(names, ", ") +
                               "; got '" + io::excerpt(text) + "'",
                           nearest.empty() ? "" : "did you mean '" + nearest + "'?");
  }
  selected = static_cast<std::size_t>(found - names.begin());
}

bool FieldReader::enter_group(const FieldInfo& info) {
  const io::Json* value = find(info);
  if (!value) return false;
  const std::string path = open_.back().prefix + info.name;
  if (!value->is_object()) fail_type(path, "an object of fields", *value);
  open_.push_back({value, path + ".", {}});
  return true;
}

void FieldReader::leave_group() {
  check_no_unknown_key();
  open_.pop_back();
}

void FieldReader::check_no_unknown_key() const {
  const Level& level = open_.back();
  for (const auto& [key, value] : level.object->items()) {
    if (std::find(level.known.begin(), level.known.end(), key) != level.known.end()) continue;
    if (const std::string why = why_absent(level.prefix + key); !why.empty())
      throw base::UsageError(source_ + ": unknown field '" + level.prefix + key + "'", why);
    // The right name in the wrong group is a more likely slip than a name with other letters.
    std::string nearest;
    for (const FieldDescription& field : fields_)
      if (nearest.empty() && last_part(field.path) == key) nearest = field.path;
    for (const FieldDescription& field : fields_)
      if (nearest.empty() && field.path.starts_with(level.prefix) &&
          abbreviates(key, last_part(field.path)))
        nearest = field.path;
    if (nearest.empty()) {
      nearest = base::nearest_name(key, level.known);
      if (!nearest.empty()) nearest.insert(0, level.prefix);
    }
    if (nearest.empty()) nearest = field_with_similar_name(key, fields_);
    throw base::UsageError(source_ + ": unknown field '" + level.prefix + io::excerpt(key) + "'",
                           nearest.empty() ? "expected one of: " + base::join(level.known, ", ")
                                           : "did you mean '" + nearest + "'?");
  }
}

void FieldReader::fail_type(const std::string& path, const std::string& expected,
                            const io::Json& got) const {
  throw base::UsageError(source_ + ": " + path + " expects " + expected + ", got " +
                         io::excerpt(io::format_json_line(got)));
}

io::Json json_of_text(std::string text) {
  io::Json value = io::Json::parse(text, nullptr, false);
  if (!value.is_discarded()) return value;
  const std::size_t point = text.starts_with('-') ? 1 : 0;
  if (point < text.size() && text[point] == '.') text.insert(point, "0");
  return io::Json::parse(text, nullptr, false);
}

io::Json parse_assignment(std::string_view assignment,
                          const std::vector<FieldDescription>& fields) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0)
    throw base::UsageError("--set '" + io::excerpt(assignment) + "': expected path.to.key=value",
                           "for example --set train.epochs=3");
  const std::string path(assignment.substr(0, equals));
  const std::string text(assignment.substr(equals + 1));
  const auto field = std::find_if(fields.begin(), fields.end(), [&](const FieldDescription& known) {
    return known.path == path;
  });
  io::Json value = json_of_text(text);
  if (value.is_discarded() || (field != fields.end() && field->is_text && !value.is_string()))
    value = text;
  const std::vector<std::string> parts = base::split(path, '.');
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    value = io::Json::object({{*part, std::move(value)}});
  return value;
}

}  // namespace asap::config::detail
