#include "text/text_codec.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "io/json.h"

namespace asap::text {
namespace {

constexpr const char* kCodecFile = "codec.json";
constexpr const char* kVocabularyFile = "vocabulary.txt";
constexpr const char* kSentencePieceFile = "sentencepiece.model";
constexpr const char* kWordPieceFile = "vocab.txt";
constexpr const char* kHint = "the file is damaged; train again, or restore it";

/// The content of codec.json.
struct CodecFields {
  config::TextConfig text;
  std::vector<std::string> labels, class_names, header;
  std::string tokenizer_fingerprint;  // of the tokenizer's file

  template <class Visitor>
  void visit(Visitor& v) {
    v.group("text", text, "how texts are read");
    v.field("labels", labels, "labels as files write them, one per class");
    v.field("class_names", class_names, "names of the same classes");
    v.field("header", header, "column names of the training file");
    v.field("tokenizer_fingerprint", tokenizer_fingerprint, "of the tokenizer's file");
  }
};

/// The file of the tokenizer; empty: none is needed.
std::filesystem::path tokenizer_file(config::TokenizerKind kind) {
  if (kind == config::TokenizerKind::bytes) return {};
  if (kind == config::TokenizerKind::wordpiece) return kWordPieceFile;
  return kind == config::TokenizerKind::words ? kVocabularyFile : kSentencePieceFile;
}

void check_fields(const CodecFields& fields, const std::string& source) {
  const std::set<std::string> different(fields.labels.begin(), fields.labels.end());
  if (fields.labels.empty() || different.size() != fields.labels.size() ||
      fields.class_names.size() != fields.labels.size())
    throw base::DataError(source + ": needs different labels and a class name for each", kHint);
}

/// Accepts only the bytes that were written: sentencepiece's reader may end the process on others.
std::unique_ptr<Tokenizer> checked_tokenizer(const CodecFields& fields, const std::string& bytes,
                                             const std::string& source) {
  if (tokenizer_file(fields.text.tokenizer).empty()) return parse_tokenizer(fields.text, {}, "");
  if (base::content_fingerprint(bytes) != fields.tokenizer_fingerprint)
    throw base::DataError(source + ": is not the file that the training wrote", kHint);
  return parse_tokenizer(fields.text, bytes, source);
}

CodecFields parse_fields(const io::Json& json, const std::string& source) {
  CodecFields fields;
  try {
    config::from_json(json, fields, source);
  } catch (const base::UsageError& error) {  // needs another hint here
    throw base::DataError(error.what(), kHint);
  }
  check_fields(fields, source);
  return fields;
}

std::shared_ptr<const TextCodec> make_codec(CodecFields fields,
                                            std::unique_ptr<Tokenizer> tokenizer) {
  auto codec = std::make_shared<TextCodec>();
  codec->tokenizer = std::move(tokenizer);
  codec->config = std::move(fields.text);
  codec->labels = std::move(fields.labels);
  codec->class_names = std::move(fields.class_names);
  codec->header = std::move(fields.header);
  return codec;
}

}  // namespace

std::shared_ptr<const TextCodec> TextCodec::token_ids() const {
  auto codec = std::make_shared<TextCodec>();
  codec->config = config;
  codec->tokenizer = tokenizer;
  return codec;
}

int TextCodec::class_of(const std::string& label) const {
  const auto found = std::ranges::find(labels, label);
  return found == labels.end() ? -1 : static_cast<int>(found - labels.begin());
}

SerialisedCodec serialise_text_codec(const TextCodec& codec) {
  SerialisedCodec serialised;
  serialised.tokenizer = codec.tokenizer->serialise();
  serialised.description =
      config::to_json(CodecFields{codec.config, codec.labels, codec.class_names, codec.header,
                                  base::content_fingerprint(serialised.tokenizer)});
  return serialised;
}

std::shared_ptr<const TextCodec> parse_text_codec(const SerialisedCodec& serialised,
                                                  const std::string& source) {
  CodecFields fields = parse_fields(serialised.description, source);
  auto tokenizer = checked_tokenizer(fields, serialised.tokenizer, source);
  return make_codec(std::move(fields), std::move(tokenizer));
}

void write_text_codec(const TextCodec& codec, const std::filesystem::path& folder) {
  base::StagedDirectory staged(folder);
  const SerialisedCodec serialised = serialise_text_codec(codec);
  io::write_json(staged.path() / kCodecFile, serialised.description);
  if (const auto file = tokenizer_file(codec.config.tokenizer); !file.empty())
    base::write_file_atomically(staged.path() / file, serialised.tokenizer);
  staged.commit();
}

std::shared_ptr<const TextCodec> read_text_codec(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kCodecFile;
  CodecFields fields = parse_fields(io::read_json(path), path.string());
  const std::filesystem::path file = tokenizer_file(fields.text.tokenizer);
  const std::string bytes = file.empty() ? "" : base::read_file(folder / file);
  auto tokenizer = checked_tokenizer(fields, bytes, (folder / file).string());
  return make_codec(std::move(fields), std::move(tokenizer));
}

}  // namespace asap::text
