#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "io/json.h"

namespace asap::pretrained {

/// An object of a JSON file that another program wrote. Every method throws DataError that names
/// file and key.
class JsonFields {
 public:
  /// Reads the file, which must hold an object.
  explicit JsonFields(const std::filesystem::path& file);

  /// The object inside this one under `key`; an empty one if there is none.
  JsonFields inside(const std::string& key) const;

  const std::string& source() const { return source_; }
  const io::Json& json() const { return json_; }
  /// Whether the key is there and not null.
  bool has(const std::string& key) const;
  /// A whole number from `least` to 10 million.
  int count(const std::string& key, int least) const;
  int count(const std::string& key, int least, int otherwise) const;
  double number(const std::string& key, double otherwise) const;
  bool truth(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;

 private:
  JsonFields(std::string source, io::Json json)
      : source_(std::move(source)), json_(std::move(json)) {}

  [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

  std::string source_;
  io::Json json_;
};

}  // namespace asap::pretrained
