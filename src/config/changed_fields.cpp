#include "config/changed_fields.h"

#include "base/text.h"

namespace asap::config {
namespace {

std::string options_of(const io::Json& fields, const std::string& group) {
  std::string options;
  for (const auto& [key, value] : fields.items()) {
    const std::string path = group + key;
    if (value.is_object())
      options += options_of(value, path + ".");
    else
      options += " --set " +
                 base::shell_word(path + "=" +
                                  (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return options;
}

}  // namespace

io::Json changed_fields(const io::Json& config, const io::Json& defaults) {
  io::Json changed = io::Json::object();
  for (const auto& [key, value] : config.items()) {
    const auto other = defaults.find(key);
    if (other == defaults.end() || !value.is_object()) {
      if (other == defaults.end() || value != *other) changed[key] = value;
      continue;
    }
    io::Json part = changed_fields(value, *other);
    if (!part.empty()) changed[key] = std::move(part);
  }
  return changed;
}

std::string set_options(const io::Json& config, const io::Json& defaults) {
  return options_of(changed_fields(config, defaults), "");
}

std::string path_option(const std::string& name, const std::filesystem::path& path) {
  return " " + name + " " + base::shell_word(path.string());
}

}  // namespace asap::config
