#include "pretrained/json_fields.h"

#include "base/error.h"

namespace asap::pretrained {

JsonFields::JsonFields(const std::filesystem::path& file)
    : source_(file.string()), json_(io::read_json(file)) {
  if (!json_.is_object())
    throw base::DataError(source_ + ": expected an object, found a " + json_.type_name(),
                          "fetch the model again");
}

JsonFields JsonFields::inside(const std::string& key) const {
  if (!has(key)) return {source_, io::Json::object()};
  if (!json_.at(key).is_object()) fail(key, "an object");
  return {source_, json_.at(key)};
}

bool JsonFields::has(const std::string& key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

void JsonFields::fail(const std::string& key, const std::string& expected) const {
  throw base::DataError(
      source_ + ": expected " + expected + " as '" + key + "', found " +
          (has(key) ? io::excerpt(io::format_json_line(json_.at(key))) : std::string("nothing")),
      "is this the configuration of the model beside it?");
}

int JsonFields::count(const std::string& key, int least) const {
  constexpr int kMost = 10'000'000;
  const std::string expected = "a whole number from " + std::to_string(least);
  if (!has(key) || !json_.at(key).is_number_integer()) fail(key, expected);
  const io::Json& value = json_.at(key);
  const bool positive = value.is_number_unsigned() || value.get<std::int64_t>() >= 0;
  if (!positive || value.get<std::uint64_t>() > kMost || value.get<int>() < least)
    fail(key, expected + " to " + std::to_string(kMost));
  return value.get<int>();
}

int JsonFields::count(const std::string& key, int least, int otherwise) const {
  return has(key) ? count(key, least) : otherwise;
}

double JsonFields::number(const std::string& key, double otherwise) const {
  if (!has(key)) return otherwise;
  if (!json_.at(key).is_number()) fail(key, "a number");
  return json_.at(key).get<double>();
}

bool JsonFields::truth(const std::string& key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!json_.at(key).is_boolean()) fail(key, "true or false");
  return json_.at(key).get<bool>();
}

std::string JsonFields::text(const std::string& key, const std::string& otherwise) const {
  if (!has(key)) return otherwise;
  if (!json_.at(key).is_string()) fail(key, "a text");
  return json_.at(key).get<std::string>();
}

}  // namespace asap::pretrained
