#include "pretrained/tokenizer_files.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "pretrained/json_fields.h"
#include "text/wordpiece_tokenizer.h"

namespace asap::pretrained {
namespace fs = std::filesystem;
namespace {

constexpr const char* kOnlyWordPiece = "only WordPiece tokenizers are read, with their vocab.txt";
constexpr const char* kConfig = "tokenizer_config.json";
constexpr const char* kFast = "tokenizer.json";
constexpr const char* kSentence = "sentence_bert_config.json";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::optional<JsonFields> fields_if_there(const fs::path& file) {
  if (!is_there(file)) return std::nullopt;
  return JsonFields(file);
}

/// An object inside an object; an empty one if there is none.
io::Json object_at(const io::Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_object() ? *found : io::Json::object();
}

/// What the files of a tokenizer say; each may be missing.
struct TokenizerFiles {
  std::optional<JsonFields> config, fast, sentence;

  explicit TokenizerFiles(const fs::path& folder)
      : config(fields_if_there(folder / kConfig)),
        fast(fields_if_there(folder / kFast)),
        sentence(fields_if_there(folder / kSentence)) {}

  /// The kind of model in tokenizer.json: "WordPiece", "BPE", "Unigram"; empty: not known.
  std::string kind() const {
    if (!fast) return "";
    const io::Json model = object_at(fast->json(), "model");
    const auto type = model.find("type");
    return type != model.end() && type->is_string() ? type->get<std::string>() : "";
  }

  /// A setting of both files; that of tokenizer_config.json goes first.
  std::optional<bool> setting(const char* in_config, const char* in_fast) const {
    if (config && config->has(in_config)) return config->truth(in_config, false);
    if (!fast) return std::nullopt;
    const io::Json normalizer = object_at(fast->json(), "normalizer");
    const auto found = normalizer.find(in_fast);
    if (found == normalizer.end() || !found->is_boolean()) return std::nullopt;
    return found->get<bool>();
  }
};

void require_wordpiece(const fs::path& folder, const TokenizerFiles& files) {
  const std::string kind = files.kind();
  if (!kind.empty() && kind != "WordPiece")
    throw base::DataError(
        files.fast->source() + ": the tokenizer is " + io::excerpt(kind) + ", not WordPiece",
        kOnlyWordPiece);
  const std::string name = files.config ? files.config->text("tokenizer_class", "") : "";
  const std::vector<std::string> known{"",
                                       "BertTokenizer",
                                       "BertTokenizerFast",
                                       "DistilBertTokenizer",
                                       "DistilBertTokenizerFast",
                                       "PreTrainedTokenizerFast"};
  if (std::ranges::find(known, name) == known.end())
    throw base::DataError(files.config->source() + ": the tokenizer_class is '" +
                              io::excerpt(name) + "', not BertTokenizer",
                          kOnlyWordPiece);
  if (is_there(folder / "vocab.txt")) return;
  const bool pairs = is_there(folder / "merges.txt");
  throw base::DataError((folder / "vocab.txt").string() +
                            ": there is no such file beside the model" +
                            (pairs ? ", but merges.txt: its tokenizer is BPE" : ""),
                        kOnlyWordPiece);
}

/// Whether a piece holds a capital letter of ASCII; special pieces like [CLS] do not count.
bool is_cased(const std::string& piece) {
  return !(piece.starts_with('[') && piece.ends_with(']')) &&
         std::ranges::any_of(piece, [](char byte) { return byte >= 'A' && byte <= 'Z'; });
}

/// Fewer than this share of cased pieces are accidents.
constexpr double kCasedShare = 0.01;

double cased_share(const text::Tokenizer& tokenizer) {
  std::int64_t cased = 0;
  for (std::int32_t id = 0; id < tokenizer.vocabulary(); ++id)
    if (is_cased(tokenizer.piece(id))) ++cased;
  return static_cast<double>(cased) / tokenizer.vocabulary();
}

/// Lower-casing of a cased vocabulary would lose its capitals in silence.
bool choose_lowercase(const std::string& vocabulary_file, const TokenizerFiles& files,
                      const text::Tokenizer& tokenizer) {
  const bool cased = cased_share(tokenizer) >= kCasedShare;
  const std::optional<bool> asked = files.setting("do_lower_case", "lowercase");
  if (cased && asked.value_or(false))
    throw base::DataError(
        vocabulary_file +
            ": this vocabulary is cased, yet the tokenizer's files turn texts into lower case",
        std::string("set do_lower_case to false in ") + kConfig +
            ", or fetch the vocabulary that belongs to the model");
  return asked.value_or(!cased);
}

void choose_truncation(const TokenizerFiles& files, int positions, PretrainedTokenizer& out) {
  std::vector<std::pair<std::string, int>> limits;  // the first counts
  if (files.sentence && files.sentence->has("max_seq_length"))
    limits.emplace_back(kSentence, files.sentence->count("max_seq_length", 1));
  if (files.fast) {
    const io::Json truncation = object_at(files.fast->json(), "truncation");
    const auto found = truncation.find("max_length");
    if (found != truncation.end() && found->is_number_unsigned() && *found > 0u &&
        *found <= 10'000'000u)
      limits.emplace_back(kFast, found->get<int>());
  }
  // Files of models without a limit hold 1e30 here.
  if (files.config && files.config->number("model_max_length", 1e30) <= 10'000'000)
    limits.emplace_back(kConfig, files.config->count("model_max_length", 1));
  limits.emplace_back("the table of positions", positions);
  out.config.max_tokens = std::min(limits.front().second, positions);
  std::vector<std::string> others;
  for (std::size_t i = 1; i < limits.size(); ++i)
    if (limits[i].second != out.config.max_tokens)
      others.push_back(limits[i].first + " says " + std::to_string(limits[i].second));
  out.truncation = std::to_string(out.config.max_tokens) + " (" + limits.front().first +
                   (others.empty() ? "" : "; " + base::join(others, ", ")) + ")";
}

}  // namespace

PretrainedTokenizer read_pretrained_tokenizer(const fs::path& folder, int positions) {
  const TokenizerFiles files(folder);
  require_wordpiece(folder, files);
  if (!files.setting("tokenize_chinese_chars", "handle_chinese_chars").value_or(true))
    throw base::DataError(
        (folder / kConfig).string() +
            ": tokenize_chinese_chars is false: this toolkit always sets Chinese characters apart",
        kOnlyWordPiece);
  const fs::path file = folder / "vocab.txt";
  const std::string bytes = base::read_file(file);
  PretrainedTokenizer out;
  out.config.tokenizer = config::TokenizerKind::wordpiece;
  const auto any_case = text::parse_wordpiece(out.config, bytes, file.string());
  out.config.lowercase = choose_lowercase(file.string(), files, *any_case);
  out.config.strip_accents =
      files.setting("strip_accents", "strip_accents").value_or(out.config.lowercase);
  out.tokenizer = text::parse_wordpiece(out.config, bytes, file.string());
  choose_truncation(files, positions, out);
  return out;
}

}  // namespace asap::pretrained
