#include "text/sentencepiece_tokenizer.h"

#include "base/error.h"

#ifdef ASAP_HAS_SENTENCEPIECE
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#endif

namespace asap::text {

#ifdef ASAP_HAS_SENTENCEPIECE

namespace {

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(std::string model, const std::string& source) : model_(std::move(model)) {
    const auto status = processor_.LoadFromSerializedProto(model_);
    if (!status.ok() || processor_.GetPieceSize() < 1 || processor_.unk_id() != kUnknownToken)
      throw base::DataError(
          source + ": is not a sentencepiece model whose first piece is the unknown one",
          "the file is damaged; train again, or restore it");
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<int> ids;
    base::check(processor_.Encode(text, &ids).ok(), "sentencepiece cannot encode");
    return {ids.begin(), ids.end()};
  }

  int vocabulary() const override { return processor_.GetPieceSize(); }

  std::string piece(std::int32_t id) const override {
    return id == kUnknownToken ? "?" : processor_.IdToPiece(id);
  }

  std::string serialise() const override { return model_; }

 private:
  std::string model_;
  sentencepiece::SentencePieceProcessor processor_;
};

/// The first texts, in the form the library reads.
class TextIterator final : public sentencepiece::SentenceIterator {
 public:
  explicit TextIterator(const Texts& texts) : texts_(texts) { load(); }

  bool done() const override { return index_ >= texts_.count || bytes_ > kSentencePieceBytes; }
  void Next() override {
    ++index_;
    load();
  }
  const std::string& value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void load() {
    if (done()) return;
    value_ = texts_.at(index_);
    // The library reads one text per line and reserves these bytes.
    for (char& byte : value_)
      if (byte == '\n' || byte == '\r' || byte == '\t' || byte == '\0') byte = ' ';
    bytes_ += std::ssize(value_);
  }

  const Texts& texts_;
  std::int64_t index_ = 0, bytes_ = 0;
  std::string value_;
};

}  // namespace

std::unique_ptr<Tokenizer> learn_sentencepiece(const config::TextConfig& config, const Texts& texts,
                                               const std::string& source) {
  const std::unordered_map<std::string, std::string> settings = {
      {"model_type", "unigram"},
      {"vocab_size", std::to_string(config.vocabulary_size)},
      {"hard_vocab_limit", "false"},
      {"unk_id", std::to_string(kUnknownToken)},
      {"bos_id", "-1"},
      {"eos_id", "-1"},
      {"pad_id", "-1"},
      {"num_threads", "1"},
      {"max_sentence_length", std::to_string(kSentencePieceBytes)},
      {"normalization_rule_name", config.lowercase ? "nmt_nfkc_cf" : "nmt_nfkc"},
      {"minloglevel", "2"}};
  TextIterator iterator(texts);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &iterator, &model);
  if (!status.ok())
    throw base::DataError(
        source + ": sentencepiece cannot learn from these texts: " + status.ToString(),
        "raise data.text.vocabulary_size above the number of different characters, or "
        "--set data.text.tokenizer=words");
  return std::make_unique<SentencePieceTokenizer>(std::move(model), source);
}

std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view bytes, const std::string& source) {
  return std::make_unique<SentencePieceTokenizer>(std::string(bytes), source);
}

bool has_sentencepiece() { return true; }

#else

namespace {

[[noreturn]] void fail_without_library() {
  throw UsageError(
      "data.text.tokenizer is sentencepiece, but this build is without its library",
      "install libsentencepiece-dev and build again, or --set data.text.tokenizer=words");
}

}  // namespace

std::unique_ptr<Tokenizer> learn_sentencepiece(const TextConfig&, const Texts&,
                                               const std::string&) {
  fail_without_library();
}

std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view, const std::string&) {
  fail_without_library();
}

bool has_sentencepiece() { return false; }

#endif

}  // namespace asap::text
