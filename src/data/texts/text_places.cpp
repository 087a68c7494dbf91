#include "data/texts/text_places.h"

#include <algorithm>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "io/gzip.h"
#include "io/json.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kEndings[] = {".csv", ".tsv", ".jsonl", ".ndjson", ".json"};
constexpr std::size_t kMostShown = 5;  // files that a message lists

/// The name in lower case and without .gz.
std::string plain_name(const fs::path& path) {
  std::string name = lower_case(path.filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name;
}

bool holds_texts(const fs::path& path) {
  const std::string name = plain_name(path);
  return std::ranges::any_of(kEndings, [&](const char* end) { return name.ends_with(end); });
}

std::vector<fs::path> roots_of(const config::DataConfig& config) {
  if (!config.path.empty()) return {config.path};
  const auto directory = data_directory();
  if (!directory) return {};
  return {*directory / "text", *directory};
}

/// Where NAME.csv and the like, or a folder NAME, are looked for.
std::vector<fs::path> plain_folders(const config::DataConfig& config, const fs::path& root) {
  std::vector<fs::path> folders{root / config.name, root / (config.name + "_csv")};
  if (!config.path.empty()) folders.insert(folders.begin(), root);
  if (config.name == "imdb") folders.push_back(root / "aclImdb");
  return folders;
}

std::optional<fs::path> find_file_of_texts(std::span<const fs::path> entries,
                                           const std::string& stem) {
  for (const char* packed : {"", ".gz"})
    for (const char* ending : kEndings)
      if (auto path = find_entry(entries, stem + ending + packed); path && !is_folder(*path))
        return path;
  return std::nullopt;
}

/// SPLIT.csv and the like, or one folder per class.
std::optional<TextPlace> find_plain(const fs::path& folder, const std::string& split) {
  const std::vector<fs::path> entries = sorted_entries(folder);
  if (const auto path = find_file_of_texts(entries, split))
    return TextPlace{*path, find_entry(entries, "classes.txt").value_or(fs::path())};
  if (const auto path = find_entry(entries, split); path && is_folder(*path))
    return TextPlace{*path, {}};
  return std::nullopt;
}

/// NAME_SPLIT*.csv and the like.
std::optional<TextPlace> find_named(const fs::path& folder, const std::string& name,
                                    const std::string& split) {
  const std::vector<fs::path> entries = sorted_entries(folder);
  std::vector<std::string> prefixes{lower_case(name + "_" + split)};
  if (split == "train") prefixes.push_back(lower_case(name + "_val"));
  for (const std::string& prefix : prefixes)
    for (const fs::path& path : entries) {
      const std::string file = plain_name(path);
      const bool notes = file.ends_with(".json");  // more often about texts than texts
      if (!file.starts_with(prefix) || !holds_texts(path) || notes) continue;
      auto names = find_entry(entries, name + "_mapping.txt");
      if (!names) names = find_entry(entries, name + "_classes.txt");
      return TextPlace{path, names.value_or(fs::path())};
    }
  return std::nullopt;
}

std::optional<TextPlace> search_part(const config::DataConfig& config, Split split) {
  for (const fs::path& root : roots_of(config)) {
    for (const fs::path& folder : plain_folders(config, root))
      if (const auto place = find_plain(folder, split_name(split))) return place;
    for (const fs::path& folder : {root, root / config.name})
      if (const auto place = find_named(folder, config.name, split_name(split))) return place;
  }
  return std::nullopt;
}

/// Whether a folder holds folders with texts in them.
bool has_class_folders(const fs::path& folder) {
  return std::ranges::any_of(sorted_entries(folder), [](const fs::path& entry) {
    return std::ranges::any_of(sorted_entries(entry), [](const fs::path& file) {
      return plain_name(file).ends_with(".txt");
    });
  });
}

/// Texts that nobody parted: NAME.csv and the like, or folders of classes in data.path or NAME.
std::optional<TextPlace> search_whole(const config::DataConfig& config) {
  for (const fs::path& root : roots_of(config)) {
    for (const fs::path& folder : {root, root / config.name}) {
      const std::vector<fs::path> entries = sorted_entries(folder);
      if (const auto path = find_file_of_texts(entries, config.name))
        return TextPlace{*path, find_entry(entries, "classes.txt").value_or(fs::path())};
    }
    for (const fs::path& folder : {root / config.name, fs::path(config.path)})
      if (!folder.empty() && has_class_folders(folder)) return TextPlace{folder, {}};
  }
  return std::nullopt;
}

/// The file that the configuration names; nothing: it names none.
std::optional<TextPlace> named_in_config(const config::DataConfig& config, Split split) {
  const std::string& file = split == Split::train ? config.text.train_file : config.text.test_file;
  if (file.empty()) return std::nullopt;
  const fs::path path = fs::path(config.path) / file;
  return TextPlace{path, find_entry(sorted_entries(path.parent_path()), "classes.txt")
                             .value_or(path.parent_path() / "classes.txt")};
}

/// "train.csv, .tsv, .jsonl, .ndjson, .json (or these with .gz), train/CLASS/*.txt, ... in 'DIR'"
std::string tried_names(const config::DataConfig& config, const std::string& split) {
  const std::string endings =
      base::join(std::vector<std::string>(std::begin(kEndings), std::end(kEndings)), ", ");
  std::vector<std::string> folders;
  for (const fs::path& root : roots_of(config))
    for (const fs::path& folder : plain_folders(config, root))
      folders.push_back("'" + folder.string() + "'");
  if (folders.empty()) return "";
  return "; tried " + split + endings + " (or these with .gz), " + split + "/CLASS/*.txt and " +
         config.name + "_" + split + "*.csv in " + base::join(folders, ", ");
}

/// "; 'DIR' holds reviews.csv, more.tsv": files of texts under other names.
std::string other_files(const config::DataConfig& config) {
  std::vector<std::string> names;
  for (const fs::path& path : sorted_entries(config.path))
    if (holds_texts(path)) names.push_back(io::excerpt(path.filename().string()));
  if (names.empty()) return "";
  if (names.size() > kMostShown) names.resize(kMostShown), names.emplace_back("...");
  return "; '" + config.path + "' holds " + base::join(names, ", ");
}

[[noreturn]] void fail_missing_part(const config::DataConfig& config, Split split) {
  const std::string part = split_name(split);
  const std::string what = "the " + part + " part of the texts '" + config.name + "' was not found";
  const fs::path given = config.path;
  std::error_code ignored;
  if (fs::is_regular_file(given, ignored))
    throw base::DataError(
        what + ": data.path, '" + config.path + "', is a file and not a folder",
        "--set data.path=" + (given.has_parent_path() ? given.parent_path().string() : ".") +
            " --set data.text.train_file=" + given.filename().string() +
            " and data.text.test_file, or data.test_fraction=0.2 when there is no other file");
  if (!config.path.empty() && !is_folder(given))
    throw base::DataError(what + " in '" + config.path + "': there is no such folder",
                          "--set data.path=DIR names the folder");
  const bool parted = split == Split::train || !search_part(config, Split::train);
  throw base::DataError(
      what + (config.path.empty() ? "" : " in '" + config.path + "'") + tried_names(config, part) +
          other_files(config),
      std::string(parted ? "" : "--set data.test_fraction=0.2 splits the training part; ") +
          "--set data.path=DIR or ASAP_DATA_DIR=DIR for the folder, or name the files with "
          "data.text.train_file and test_file; --set data.kind=majority runs without files");
}

/// The place of a named file, which must be there.
TextPlace require_named(const TextPlace& named, Split split) {
  const fs::path& path = named.path;
  std::error_code ignored;
  if (fs::exists(path, ignored)) return named;
  std::vector<std::string> names;
  for (const fs::path& entry : sorted_entries(path.has_parent_path() ? path.parent_path() : "."))
    if (holds_texts(entry) || plain_name(entry).ends_with(".txt"))
      names.push_back(io::excerpt(entry.filename().string()));
  const std::string near = base::nearest_name(path.filename().string(), names);
  if (names.size() > kMostShown) names.resize(kMostShown), names.emplace_back("...");
  throw base::DataError(
      "'" + path.string() + "' does not exist (data.text." + split_name(split) + "_file)",
      !near.empty()   ? "did you mean '" + near + "'?"
      : names.empty() ? "data.path and data.text.train_file name the file"
                      : "its folder holds " + base::join(names, ", "));
}

TextPlace find_unparted(const config::DataConfig& config) {
  const std::string other = config.text.test_file;
  if (!other.empty())
    throw base::DataError("data.test_fraction splits a test part off, but data.text.test_file ('" +
                              io::excerpt(other) + "') names one",
                          "--set data.test_fraction=0, or --set data.text.test_file=");
  if (const auto place = named_in_config(config, Split::train))
    return require_named(*place, Split::train);
  if (const auto test = search_part(config, Split::test))
    throw base::DataError(
        "data.test_fraction splits a test part off, but there is one: '" + test->path.string() +
            "'",
        "--set data.test_fraction=0 uses it; else move it away or name data.text.train_file");
  if (const auto place = search_part(config, Split::train)) return *place;
  if (const auto place = search_whole(config)) return *place;
  fail_missing_part(config, Split::train);
}

/// Whether two files hold the same, packed or not.
bool equal_files(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  const bool packed =
      lower_case(a.extension().string()) == ".gz" || lower_case(b.extension().string()) == ".gz";
  if (!packed && fs::file_size(a, ignored) != fs::file_size(b, ignored)) return false;
  const auto content = [](const fs::path& path) {
    std::string bytes = base::read_file(path);
    return io::is_gzip(bytes) ? io::decompress_gzip(bytes, bytes.max_size(), path.string()) : bytes;
  };
  return content(a) == content(b);
}

/// The files in a folder and its folders, relative to it.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (!entry->is_directory(error)) files.push_back(entry->path().lexically_relative(folder));
  std::ranges::sort(files);
  return files;
}

bool are_copies(const fs::path& a, const fs::path& b) {
  if (is_folder(a) != is_folder(b)) return false;
  if (!is_folder(a)) return equal_files(a, b);
  const std::vector<fs::path> files = files_below(a);
  return !files.empty() && files == files_below(b) &&
         std::ranges::all_of(files, [&](const fs::path& f) { return equal_files(a / f, b / f); });
}

}  // namespace

TextPlace find_text_place(const config::DataConfig& config, Split split) {
  if (config.test_fraction > 0) return find_unparted(config);
  if (const auto place = named_in_config(config, split)) return require_named(*place, split);
  if (const auto place = search_part(config, split)) return *place;
  fail_missing_part(config, split);
}

std::string doubt_about_parts(const config::DataConfig& config) {
  if (config.test_fraction > 0) return "";
  const auto find = [&](Split split) {
    const auto named = named_in_config(config, split);
    return named ? named : search_part(config, split);
  };
  const auto train = find(Split::train), test = find(Split::test);
  std::error_code ignored;
  if (!train || !test || !fs::exists(train->path, ignored) || !fs::exists(test->path, ignored))
    return "";
  if (!fs::equivalent(train->path, test->path, ignored))
    return are_copies(train->path, test->path)
               ? "'" + test->path.string() + "' holds the same texts as '" + train->path.string() +
                     "': a test on what was trained on says nothing; without that part, --set "
                     "data.test_fraction=0.2 splits a test part off"
               : "";
  const bool named = !config.text.test_file.empty();
  throw base::DataError(
      "'" + train->path.string() + "' and '" + test->path.string() +
          "' are the same: a test on what was trained on says nothing",
      named ? "--set data.text.test_file= --set data.test_fraction=0.2 splits the one file, or "
              "name another"
            : "remove the test part and --set data.test_fraction=0.2, which splits the training "
              "part");
}

bool holds_json_lines(const fs::path& path) {
  const std::string name = plain_name(path);
  return name.ends_with(".jsonl") || name.ends_with(".ndjson") || name.ends_with(".json");
}

bool holds_tabs(const fs::path& path) {
  const std::string name = plain_name(path);
  return name.ends_with(".tsv") || name.ends_with(".txt");
}

}  // namespace asap::data
