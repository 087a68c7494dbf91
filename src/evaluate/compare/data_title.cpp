#include "evaluate/compare/data_title.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "config/changed_fields.h"
#include "io/json.h"

namespace asap::evaluate {
namespace {

struct WellKnown {
  const char* name;  // in small letters, without separators
  const char* title;
};

constexpr WellKnown kWellKnown[] = {
    {"fashionmnist", "Fashion-MNIST"}, {"mnist", "MNIST"},
    {"cifar10", "CIFAR-10"},           {"cifar100", "CIFAR-100"},
    {"catsdogs", "Cats and Dogs"},     {"agnews", "AG News"},
    {"dbpedia14", "DBpedia-14"},       {"imdb", "IMDb"},
    {"modelnet10", "ModelNet10"},      {"tweetevalemotion", "TweetEval Emotion"}};

/// "ag_news_csv" -> "agnews"
std::string plain_letters(const std::string& name) {
  std::string letters;
  for (const char c : name)
    if (c >= 'A' && c <= 'Z')
      letters += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      letters += c;
  if (letters.ends_with("csv")) letters.resize(letters.size() - 3);
  return letters;
}

std::string title_of_name(const std::string& name) {
  const std::string letters = plain_letters(name);
  const auto* const known =
      std::ranges::find_if(kWellKnown, [&](const WellKnown& one) { return letters == one.name; });
  return known != std::end(kWellKnown) ? known->title : name;
}

/// The last part of a path, which may end with a slash or be relative.
std::string last_part(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path whole = std::filesystem::weakly_canonical(path, ignored);
  if (whole.empty()) whole = path;
  return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}

bool is_read_from_files(config::DataKind kind) {
  using enum config::DataKind;
  return kind == idx || kind == points || kind == image_records || kind == image_folders ||
         kind == text;
}

}  // namespace

std::string data_title(const config::DataConfig& config) {
  if (!is_read_from_files(config.kind))
    return "Drawn " + config::to_json(config)["kind"].get<std::string>();
  if (config.kind == config::DataKind::text && !config.text.test_file.empty() &&
      config.path.empty())
    return last_part(config.text.test_file);
  const std::string name = config.path.empty() ? config.name : last_part(config.path);
  return title_of_name(name.empty() ? config.name : name);
}

std::string data_options(const config::DataConfig& data, const config::DataConfig& trained) {
  return config::set_options({{"data", config::to_json(data)}},
                             {{"data", config::to_json(trained)}});
}

}  // namespace asap::evaluate
