"""The LSTM of src/model/lstm.rs from torch's own modules, under the checkpoint's names."""

import torch


class LSTM(torch.nn.Module):
    """Embedding → L layers of LSTM, d → d → linear head; `config` is a config.json's keys. Tokens [B, S] → logits [B, S, V]."""

    def __init__(self, config):
        super().__init__()
        vocab, d, layers = config["vocab_size"], config["hidden_size"], config["num_hidden_layers"]
        self.embedding = torch.nn.Embedding(vocab, d)
        self.lstm = torch.nn.LSTM(d, d, num_layers=layers, batch_first=True)
        self.head = torch.nn.Linear(d, vocab)

    def forward(self, tokens):
        return self.head(self.lstm(self.embedding(tokens))[0])
