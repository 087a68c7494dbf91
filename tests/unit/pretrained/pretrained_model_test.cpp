#include "pretrained/pretrained_model.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "support/changed_setting.h"
#include "support/expect_error.h"
#include "support/pretrained_folder.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::io;
using namespace asap::pretrained;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Every tensor of the one model with equal values in the other.
void check_equal_weights(const PretrainedModel& one, const PretrainedModel& other) {
  CHECK(one.weights.tensors.size() == other.weights.tensors.size());
  for (const auto& entry : one.weights.tensors) {
    CAPTURE(entry.first);
    CHECK(other.weights.tensors.at(entry.first) == entry.second);
  }
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// The same weights under the names that `changes` make of them.
void rename_all(PretrainedFolder& folder,
                const std::vector<std::pair<std::string, std::string>>& changes) {
  std::map<std::string, StoredTensor> renamed;
  for (const auto& [name, tensor] : folder.weights.tensors) {
    std::string changed = name;
    for (const auto& [from, to] : changes) replace_all(changed, from, to);
    renamed.emplace(changed, tensor);
  }
  folder.weights.tensors = std::move(renamed);
}

}  // namespace

TEST_CASE("config.json decides the network, and the pooler is BERT's pooling") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "bert");
  folder.write();
  const PretrainedModel model = read_pretrained(folder.file());
  CHECK(model.model.kind == ModelKind::text);
  CHECK(model.model.width == 8);
  CHECK(model.model.hidden_width() == 12);
  CHECK(model.model.norm == NormPosition::post);
  CHECK(model.model.norm_epsilon == 1e-12);
  CHECK(model.model.embedding_norm);
  CHECK(model.model.attention.kind == AttentionKind::softmax);
  CHECK(model.model.feed_forward.activation == Activation::gelu_erf);
  CHECK(model.model.pooling == Pooling::first_token);
  CHECK(model.model.pooler);
  CHECK(model.text.tokenizer == TokenizerKind::wordpiece);
  CHECK(model.text.max_tokens == 24);
  const TrainConfig config = initial_config(model);
  CHECK_NOTHROW(require_own_network(model, config, "test"));

  CHECK(find_pretrained(folder.file()) == folder.file());
  CHECK(find_pretrained(folder.path) == folder.file());
  CHECK_FALSE(find_pretrained(scratch.path()));
}

TEST_CASE("prefixes, older names and fused projections give the same weights") {
  const TemporaryFolder scratch;
  PretrainedFolder plain(scratch / "plain");
  plain.write();
  const PretrainedModel expected = read_pretrained(plain.file());

  PretrainedFolder prefixed(scratch / "prefixed");
  rename_all(prefixed,
             {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}});
  std::map<std::string, StoredTensor> longer;
  for (const auto& [name, tensor] : prefixed.weights.tensors)
    longer.emplace("bert." + name, tensor);
  prefixed.weights.tensors = std::move(longer);
  prefixed.weights.put("classifier.weight", Tensor<float>({2, 8}));
  prefixed.weights.put("cls.predictions.bias", Tensor<float>({3}));
  prefixed.write();
  const PretrainedModel with_prefix = read_pretrained(prefixed.file());
  check_equal_weights(expected, with_prefix);
  CHECK(with_prefix.left_out ==
        std::vector<std::string>{"classifier.weight", "cls.predictions.bias"});

  PretrainedFolder fused(scratch / "fused");
  for (int layer = 0; layer < 2; ++layer) {
    const std::string self = "encoder.layer." + std::to_string(layer) + ".attention.self.";
    for (const char* kind : {".weight", ".bias"}) {
      StoredTensor whole = fused.weights.at(self + "query" + kind);
      for (const char* part : {"key", "value"})
        whole.bytes += fused.weights.at(self + part + kind).bytes;
      whole.shape = whole.shape.rank() == 1 ? Shape{24} : Shape{24, 8};
      for (const char* part : {"query", "key", "value"})
        fused.weights.tensors.erase(self + part + kind);
      fused.weights.tensors[self + "qkv" + kind] = whole;
    }
  }
  fused.write();
  check_equal_weights(expected, read_pretrained(fused.file()));
}

TEST_CASE("DistilBERT's names and settings are read") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "distilbert");
  for (const char* name : {"pooler.dense.weight", "pooler.dense.bias"})
    folder.weights.tensors.erase(name);
  // A DistilBERT has no token types: its positions hold the first of them here.
  Tensor<float> positions = folder.weights.at("embeddings.position_embeddings.weight").to<float>();
  const Tensor<float> types =
      folder.weights.at("embeddings.token_type_embeddings.weight").to<float>();
  for (std::int64_t i = 0; i < positions.size(); ++i) positions[i] += types[i % 8];
  folder.weights.put("embeddings.position_embeddings.weight", positions);
  folder.weights.tensors.erase("embeddings.token_type_embeddings.weight");
  rename_all(folder, {{"encoder.", "transformer."},
                      {"attention.self.query", "attention.q_lin"},
                      {"attention.self.key", "attention.k_lin"},
                      {"attention.self.value", "attention.v_lin"},
                      {"attention.output.dense", "attention.out_lin"},
                      {"attention.output.LayerNorm", "sa_layer_norm"},
                      {"intermediate.dense", "ffn.lin1"},
                      {"output.dense", "ffn.lin2"},
                      {"output.LayerNorm", "output_layer_norm"}});
  folder.config = {{"model_type", "distilbert"},
                   {"dim", 8},
                   {"n_heads", 2},
                   {"n_layers", 2},
                   {"hidden_dim", 12},
                   {"activation", "gelu"},
                   {"max_position_embeddings", 24}};
  folder.config["vocab_size"] = std::ranges::count(folder.vocabulary, '\n');
  folder.write();
  PretrainedFolder bert(scratch / "bert");
  for (const char* name : {"pooler.dense.weight", "pooler.dense.bias"})
    bert.weights.tensors.erase(name);
  bert.write();
  PretrainedModel expected = read_pretrained(bert.file());
  expected.weights.tensors.erase("embedding.segment");
  check_equal_weights(expected, read_pretrained(folder.file()));
  CHECK(read_pretrained(folder.file()).model.separator == 0);
  CHECK_FALSE(read_pretrained(folder.file()).model.pooler);
}

TEST_CASE("tensors that do not fit are refused by name") {
  const TemporaryFolder scratch;
  const auto expect_refusal = [&](const auto& change, std::initializer_list<const char*> parts) {
    PretrainedFolder folder(scratch / "model");
    change(folder);
    folder.write();
    expect_error<DataError>([&] { read_pretrained(folder.file()); }, parts);
  };
  const std::string query = "encoder.layer.1.attention.self.query.weight";
  expect_refusal([&](auto& f) { f.rename(query, "encoder.layer.1.attention.self.qurey.weight"); },
                 {"self.query.weight' is missing", "nearest", "self.qurey.weight"});
  expect_refusal(
      [&](auto& f) { f.weights.put("encoder.layer.2.output.dense.bias", Tensor<float>({8})); },
      {"encoder.layer.2.output.dense.bias", "no part of a BERT of this size"});
  expect_refusal(
      [&](auto& f) {
        f.weights.put(query, Tensor<float>({8, 7}));
      },
      {"self.query.weight", "[8, 7]", "[8, 8]"});
  expect_refusal(
      [&](auto& f) {
        f.weights.put(query, Tensor<double>({8, 8}));
      },
      {"self.query.weight", "float64", "float32"});
  expect_refusal(
      [&](auto& f) {
        f.weights.put(query, Tensor<std::int64_t>({8, 8}));
      },
      {"self.query.weight", "int64", "not float32 or float64"});
  expect_refusal(
      [&](auto& f) {
        Tensor<float> values = f.weights.at(query).template to<float>();
        values[3] = std::nanf("");
        f.weights.put(query, values);
      },
      {"self.query.weight", "not finite"});
  expect_refusal([&](auto& f) { f.weights.tensors.clear(); },
                 {"embeddings.word_embeddings.weight", "no BERT"});
  expect_refusal([&](auto& f) { f.config["num_hidden_layers"] = 1; },
                 {"encoder.layer.1", "no part of a BERT of this size"});
  expect_refusal([&](auto& f) { f.config["vocab_size"] = 50; }, {"vocab.txt", "50"});
}

TEST_CASE("weights of float16 among those of float32 are refused by name") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "model");
  folder.write();
  std::string bytes = read_file(folder.file());
  const std::size_t entry = bytes.find("\"encoder.layer.1.output.dense.weight\"");
  const auto replace_behind = [&](const std::string& from, const std::string& to) {
    const std::size_t at = bytes.find(from, entry);
    REQUIRE(at < bytes.find('}', entry));
    bytes.replace(at, from.size(), to);
  };
  replace_behind("F32", "F16");  // twice as many in the same bytes
  replace_behind("[8,12]", "[8,24]");
  write_file_atomically(folder.file(), bytes);
  expect_error<DataError>([&] { read_pretrained(folder.file()); },
                          {"encoder.layer.1.output.dense.weight", "float16", "float32"});
}

TEST_CASE("what this toolkit computes otherwise is refused by name") {
  const TemporaryFolder scratch;
  const auto expect_refusal = [&](const char* key, const Json& value,
                                  std::initializer_list<const char*> parts) {
    PretrainedFolder folder(scratch / "model");
    folder.config[key] = value;
    folder.write();
    expect_error<DataError>([&] { read_pretrained(folder.file()); }, parts);
  };
  expect_refusal("model_type", "roberta", {"roberta", "BPE"});
  expect_refusal("model_type", "mpnet", {"mpnet", "relative positions"});
  expect_refusal("model_type", "nobody", {"nobody", "bert, distilbert or vit"});
  expect_refusal("model_type", nullptr, {"names no 'model_type'"});
  expect_refusal("position_embedding_type", "relative_key", {"relative_key", "absolute"});
  expect_refusal("is_decoder", true, {"decoder"});
  expect_refusal("hidden_act", "silu", {"silu", "gelu_new"});
  expect_refusal("hidden_size", "eight", {"config.json", "hidden_size", "eight"});
  expect_refusal("hidden_size", -8, {"hidden_size", "-8"});
  expect_refusal("num_attention_heads", 3, {"multiple of model.heads (3)"});
  expect_refusal("layer_norm_eps", 0, {"norm_epsilon"});
}

TEST_CASE("tokenizers and poolings that are not computed here are refused by name") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "model");
  const auto expect_refusal = [&](const char* file, const Json& content,
                                  std::initializer_list<const char*> parts) {
    folder.write();
    std::filesystem::create_directories((folder.path / file).parent_path());
    write_json(folder.path / file, content);
    expect_error<DataError>([&] { read_pretrained(folder.file()); }, parts);
  };
  expect_refusal("tokenizer.json", {{"model", {{"type", "BPE"}}}}, {"tokenizer.json", "BPE"});
  expect_refusal("tokenizer_config.json", {{"tokenizer_class", "RobertaTokenizer"}},
                 {"RobertaTokenizer"});
  expect_refusal("tokenizer_config.json", {{"tokenize_chinese_chars", false}},
                 {"tokenize_chinese_chars"});
  expect_refusal("tokenizer_config.json", {{"do_lower_case", "yes"}}, {"do_lower_case", "yes"});
  expect_refusal("modules.json", Json::array(), {"modules.json", "Pooling"});

  folder.write();
  std::filesystem::remove(folder.path / "vocab.txt");
  write_file_atomically(folder.path / "merges.txt", "a b\n");
  expect_error<DataError>([&] { read_pretrained(folder.file()); }, {"vocab.txt", "BPE"});
  folder.write();
  std::filesystem::remove(folder.path / "config.json");
  expect_error<DataError>([&] { read_pretrained(folder.file()); }, {"config.json", "beside"});
}

TEST_CASE("a cased vocabulary is not read in lower case") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "model");
  folder.write();
  CHECK(read_pretrained(folder.file()).text.lowercase);
  CHECK(read_pretrained(folder.file()).text.strip_accents);
  replace_all(folder.vocabulary, "\nhello\n", "\nHello\n");
  folder.write();
  CHECK_FALSE(read_pretrained(folder.file()).text.lowercase);
  CHECK_FALSE(read_pretrained(folder.file()).text.strip_accents);
  write_json(folder.path / "tokenizer_config.json", {{"do_lower_case", true}});
  expect_error<DataError>([&] { read_pretrained(folder.file()); },
                          {"vocab.txt", "cased", "lower case", "do_lower_case"});
}

TEST_CASE("sentence-transformers' files decide pooling and the longest text") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "model");
  folder.write();
  write_json(folder.path / "modules.json",
             Json::array({{{"type", "sentence_transformers.models.Transformer"}, {"path", ""}},
                          {{"type", "sentence_transformers.models.Pooling"}, {"path", "pool"}}}));
  std::filesystem::create_directories(folder.path / "pool");
  const auto write_pooling = [&](const Json& fields) {
    write_json(folder.path / "pool" / "config.json", fields);
  };
  write_json(folder.path / "sentence_bert_config.json", {{"max_seq_length", 16}});
  write_json(folder.path / "tokenizer_config.json", {{"model_max_length", 20}});
  write_pooling({{"word_embedding_dimension", 8},
                 {"pooling_mode_mean_tokens", true},
                 {"pooling_mode_cls_token", false}});
  const PretrainedModel model = read_pretrained(folder.file());
  CHECK(model.model.pooling == Pooling::mean);
  CHECK_FALSE(model.model.pooler);
  CHECK(model.text.max_tokens == 16);
  CHECK(model.truncation ==
        "16 (sentence_bert_config.json; tokenizer_config.json says 20, the table of positions says "
        "24)");
  write_pooling({{"pooling_mode_cls_token", true}});
  CHECK(read_pretrained(folder.file()).model.pooling == Pooling::first_token);
  write_pooling({{"pooling_mode_max_tokens", true}});
  expect_error<DataError>([&] { read_pretrained(folder.file()); }, {"pooling_mode_max_tokens"});
  write_pooling({{"pooling_mode_mean_tokens", true}, {"pooling_mode_cls_token", true}});
  expect_error<DataError>([&] { read_pretrained(folder.file()); }, {"cls_token and"});
  write_pooling({{"word_embedding_dimension", 9}, {"pooling_mode_mean_tokens", true}});
  expect_error<DataError>([&] { read_pretrained(folder.file()); }, {"word_embedding_dimension"});
}

TEST_CASE("keys that the weights decide cannot be changed, others can") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "model");
  for (const char* name : {"pooler.dense.weight", "pooler.dense.bias"})
    folder.weights.tensors.erase(name);
  folder.write();
  const PretrainedModel model = read_pretrained(folder.file());
  const auto with = [&](const char* assignment) { change_setting(model, assignment); };
  CHECK_NOTHROW(with("model.attention.kind=sinkhorn"));
  CHECK_NOTHROW(with("model.pooling=mean"));
  CHECK_NOTHROW(with("data.text.max_tokens=5"));
  expect_error<UsageError>([&] { with("model.width=16"); }, {"model.width is 16", "need 8"});
  expect_error<UsageError>([&] { with("data.text.lowercase=false"); }, {"data.text.lowercase"});
  expect_error<UsageError>([&] { with("model.norm=pre"); }, {"model.norm", "post"});
  expect_error<UsageError>([&] { with("model.pooler=true"); }, {"no pooler"});
  expect_error<UsageError>([&] { with("data.text.max_tokens=25"); }, {"25", "24 positions"});
}

TEST_CASE("a second token type becomes the vector of a second text, which may be left out") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "model");
  folder.write();
  const PretrainedModel model = read_pretrained(folder.file());
  CHECK(model.model.separator == 3);  // [SEP]
  const std::string name = "embeddings.token_type_embeddings.weight";
  const Tensor<float> types = folder.weights.at(name).to<float>();
  const Tensor<float> segment = model.weights.at("embedding.segment").to<float>();
  for (std::int64_t i = 0; i < 8; ++i) CHECK(segment[i] == types[8 + i] - types[i]);
  CHECK_NOTHROW(change_setting(model, "model.separator=0"));
  expect_error<UsageError>([&] { change_setting(model, "model.separator=2"); },
                           {"model.separator is 2", "is 3"});

  Tensor<float> first({1, 8});
  std::ranges::copy(types.flat().first(8), first.data());
  folder.weights.put(name, first);
  folder.config["type_vocab_size"] = 1;
  folder.write();
  const PretrainedModel single = read_pretrained(folder.file());
  CHECK(single.model.separator == 0);
  CHECK_FALSE(single.weights.tensors.contains("embedding.segment"));
  CHECK(single.weights.at("embedding.position") == model.weights.at("embedding.position"));
  folder.config["type_vocab_size"] = 3;
  folder.write();
  expect_error<DataError>([&] { read_pretrained(folder.file()); }, {"token_type", "[1, 8]"});
}
