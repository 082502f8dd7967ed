"""reference.py has the properties that the architectures' descriptions give it, and agrees with
Transformers where that is installed. Exits with 77 where NumPy, or for that test Transformers, is
not.

    reference_test.py TINY_MODELS_FOLDER test_name
"""
import json
import pathlib
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: Python has no NumPy (scripts/setup installs it into .venv)")
    sys.exit(77)

import make_tiny
from reference import Decoder, frequencies, rms_norm, turned

CONFIG = make_tiny.LLAMA
TOKENS = [7, 3, 250, 7, 19, 4, 88, 120, 3, 3, 200, 14]


def decoder(config=CONFIG, change=None, **more):
    """Of random weights; `change` edits {name: array} first."""
    with tempfile.TemporaryDirectory() as name:
        make_tiny.write_model(pathlib.Path(name), {**config, **more}, seed=5)
        made = Decoder(name)
    if change:
        change(made.weights)
        made.embedding = made.weights["model.embed_tokens.weight"]
        made.head = made.weights.get("lm_head.weight", made.embedding)
    return made


def off(found, wanted):
    """The largest difference, relative to the spread of the logits."""
    return np.max(np.abs(found - wanted)) / np.std(wanted)


def test_without_layers_logits_are_the_normed_embedding_times_the_head():
    def silence(weights):
        for name in weights:
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weights[name] = np.zeros_like(weights[name])
    d = decoder(change=silence)
    row = d.embedding[7]
    normed = row / np.sqrt(row @ row / 64 + 1e-5) * d.weights["model.norm.weight"]
    wanted = [normed @ d.head[token] for token in range(300)]
    assert off(d.logits([3, 7])[1], np.array(wanted)) < 1e-12


def test_later_tokens_change_nothing_before_them():
    d = decoder()
    whole = d.logits(TOKENS)
    for count in (1, 4, 11):
        assert off(d.logits(TOKENS[:count]), whole[:count]) < 1e-12
    assert off(d.logits([8, *TOKENS[1:]])[-1], whole[-1]) > 1e-3  # but earlier ones do


def test_scores_depend_on_distance_alone():
    rng = np.random.default_rng(0)
    q, k = rng.normal(size=(2, 1, 1, 16))
    turn = frequencies(CONFIG)

    def score(at, behind):
        return float(np.sum(turned(q, at * turn[None]) * turned(k, (at - behind) * turn[None])))

    for behind in (0, 1, 9):
        for at in (10, 11, 200):
            assert abs(score(at, behind) - score(9, behind)) < 1e-10
    assert abs(score(10, 0) - float(np.sum(q * k))) < 1e-12  # turning keeps lengths
    assert abs(score(10, 1) - score(10, 9)) > 1e-3


def test_frequencies_of_llama_are_those_of_its_paper():
    # theta_i = 10000^(-2i/d), as arXiv 2104.09864 has it.
    wanted = [10000 ** (-2 * i / 16) for i in range(8)]
    np.testing.assert_allclose(frequencies(CONFIG), wanted, rtol=1e-12)
    linear = {**CONFIG, "rope_scaling": {"type": "linear", "factor": 4.0}}
    np.testing.assert_allclose(frequencies(linear), np.array(wanted) / 4, rtol=1e-12)


def test_scaled_frequencies_keep_short_waves_and_stretch_long_ones():
    # Llama 3.1's own: head_dim 128, base 500000, factor 8, 1 to 4 turns in 8192 positions.
    config = {**CONFIG, "head_dim": 128, "rope_theta": 500000.0,
              "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                               "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}
    plain = frequencies({**config, "rope_scaling": None})
    scaled, waves = frequencies(config), 2 * np.pi / plain
    short, long = waves < 8192 / 4, waves > 8192
    assert short.sum() > 20 and long.sum() > 20 and (~short & ~long).sum() > 2
    np.testing.assert_allclose(scaled[short], plain[short], rtol=1e-14)
    np.testing.assert_allclose(scaled[long], plain[long] / 8, rtol=1e-14)
    assert np.all(np.diff(scaled) < 0)  # no wave overtakes another
    # Between them as Meta's llama-models computes it, one by one.
    for frequency, wave, found in zip(plain, waves, scaled):
        if 8192 / 4 <= wave <= 8192:
            smooth = (8192 / wave - 1) / (4 - 1)
            assert abs(found - ((1 - smooth) * frequency / 8 + smooth * frequency)) < 1e-15


def test_both_generations_of_configs_say_the_same():
    old = {**CONFIG, "rope_theta": 500000.0, "rope_scaling": make_tiny.LLAMA3_SCALING}
    new = {**CONFIG, "rope_parameters": {**make_tiny.LLAMA3_SCALING, "rope_theta": 500000.0}}
    np.testing.assert_array_equal(frequencies(old), frequencies(new))
    assert np.any(frequencies(old) != frequencies({**old, "rope_scaling": None}))


def test_norm_has_unit_mean_square():
    x = np.random.default_rng(1).normal(0, 30, (5, 64))
    np.testing.assert_allclose(np.mean(rms_norm(x, 1, 0) ** 2, axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(rms_norm(1000 * x, 1, 0), rms_norm(x, 1, 0), rtol=1e-12)


def test_grouped_heads_are_as_many_equal_key_heads():
    grouped = decoder(num_key_value_heads=2)

    def repeat(weights):
        weights.clear()
        weights.update(grouped.weights)
        for name in weights:
            if "k_proj" in name or "v_proj" in name:
                heads = weights[name].reshape(2, 16, 64)
                weights[name] = heads[[0, 0, 1, 1]].reshape(64, 64)

    assert off(decoder(change=repeat).logits(TOKENS), grouped.logits(TOKENS)) < 1e-12


def test_tied_embeddings_are_their_own_head():
    tied = decoder(tie_word_embeddings=True)

    def copy(weights):
        weights.clear()
        weights.update(tied.weights)
        weights["lm_head.weight"] = tied.embedding.copy()

    assert off(decoder(change=copy).logits(TOKENS), tied.logits(TOKENS)) == 0


def test_a_window_hides_what_is_further_back():
    config = make_tiny.VARIANTS["mistral_window"]
    one_layer = {"num_hidden_layers": 1, "sliding_window": 4}
    d = decoder(config, **one_layer)
    other = [9, *TOKENS[1:]]
    moved = np.max(np.abs(d.logits(TOKENS) - d.logits(other)), axis=-1)
    assert np.all(moved[:4] > 0) and np.all(moved[4:] == 0)
    wide = decoder(config, **{**one_layer, "sliding_window": len(TOKENS)})
    full = decoder(config, **{**one_layer, "sliding_window": None})
    assert off(wide.logits(TOKENS), full.logits(TOKENS)) == 0


def test_each_part_of_a_config_shows_in_the_logits_of_its_model():
    """Else the tiny models could not tell an implementation that leaves it out."""
    changes = {
        "llama2": {"rope_theta": 20000.0, "rms_norm_eps": 1e-2},
        "llama3": {"rope_theta": 10000.0},
        "llama3_scaled_tied": {"rope_scaling": None, "rope_theta": 10000.0},
        "llama3_scaled_v5": {"rope_parameters": {"rope_theta": 500000.0}},
        "llama_linear": {"rope_scaling": None},
        "mistral_window": {"sliding_window": None},
    }
    for name, parts in changes.items():
        answer = expected(name)["prompts"][-1]
        for key, value in parts.items():
            d = Decoder(tiny() / name)
            d.config[key] = value
            d.frequencies = frequencies(d.config)
            moved = off(d.logits(answer["prompt"])[-1], np.array(answer["logits"]))
            assert moved > 2e-2, f"{name}: {key} moves the logits by {moved}"
    for name, tensor in (("llama_biases", "o_proj.bias"), ("llama_biases", "up_proj.bias"),
                         ("llama_biases", "down_proj.bias"), ("qwen2", "k_proj.bias"),
                         ("qwen2", "v_proj.bias"), ("qwen3", "q_norm.weight"),
                         ("qwen3_tied", "k_norm.weight")):
        answer = expected(name)["prompts"][-1]
        d = Decoder(tiny() / name)
        for found in d.weights:
            if found.endswith(tensor):
                d.weights[found] = np.full_like(d.weights[found], float("norm" in tensor))
        moved = off(d.logits(answer["prompt"])[-1], np.array(answer["logits"]))
        # A key's bias moves all scores of a query alike, but for the turning.
        assert moved > 2e-2, f"{name}: {tensor} moves the logits by {moved}"


def test_tiny_models_hold_what_they_promise():
    for name in make_tiny.VARIANTS:
        found = expected(name)
        assert found["smallest_margin"] >= make_tiny.LEAST_MARGIN
        assert [len(a["prompt"]) for a in found["prompts"]] == list(make_tiny.PROMPT_LENGTHS)
        d = Decoder(tiny() / name)
        for answer in found["prompts"]:
            assert len(answer["tokens"]) == make_tiny.GENERATED
            # Chosen one by one; the whole at once says the same.
            logits = d.logits(answer["prompt"] + answer["tokens"])
            first = len(answer["prompt"]) - 1
            assert list(np.argmax(logits[first:-1], axis=-1)) == answer["tokens"]
            assert off(logits[first], np.array(answer["logits"])) < 1e-9
            assert off(logits[first + 8], np.array(answer["logits_after_8"])) < 1e-9


def test_agrees_with_transformers():
    try:
        import torch
        import transformers
    except ImportError:
        print("skipped: Python has no Transformers")
        sys.exit(77)
    torch.set_num_threads(1)
    for name in make_tiny.VARIANTS:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            tiny() / name, dtype=torch.float64, attn_implementation="eager")
        worst = 0
        for answer in expected(name)["prompts"]:
            tokens = answer["prompt"] + answer["tokens"]
            with torch.no_grad():
                logits = model(torch.tensor([tokens])).logits[0].numpy()
            assert logits.dtype == np.float64
            wanted = Decoder(tiny() / name).logits(tokens)
            worst = max(worst, off(logits, wanted))
            first = len(answer["prompt"]) - 1
            assert list(np.argmax(logits[first:-1], axis=-1)) == answer["tokens"], name
        # Transformers computes norms, angles and shares of attention in f32 even so; with those
        # in double, too, version 5.23 was 5e-14 away.
        assert worst < 1e-4, f"{name}: {worst}"
        print(f"{name}: at most {worst:.2g} of the logits' spread apart")


def tiny():
    folder = pathlib.Path(sys.argv[1])
    if not folder.is_dir():
        print("skipped: there are no tiny models; make_tiny.py makes them")
        sys.exit(77)
    return folder


def expected(name):
    return json.loads((tiny() / name / "expected.json").read_text("utf-8"))


if __name__ == "__main__":
    globals()[sys.argv[2]]()
