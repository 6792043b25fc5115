/** What people say about places in the text, and tags. */

import { useState } from "react";
import type { Comment, Reply, SharedTranscript } from "trax-client/transcript";
import { MOST_AT_ONCE } from "../editor/bound";
import { date } from "../format";
import { useSpeech } from "../i18n";
import { sayAlike, useShared } from "./useShared";

interface Props {
  readonly transcript: SharedTranscript;
  readonly readOnly: boolean;
  readonly author: string;
  readonly show: (from: number, to: number) => void;
}

export function Comments(props: Props) {
  const { transcript, readOnly, show } = props;
  const { say } = useSpeech();
  const comments = useShared(transcript, "comments", sayAlike);
  const tags = useShared(transcript, "tags", sayAlike);
  return (
    <>
      {tags.length > 0 && (
        <ul className="tags">
          {tags.map((tag) => (
            <li key={tag.id}>
              <button
                type="button"
                onClick={() => {
                  const place = transcript.tags.find(({ id }) => id === tag.id)?.place;
                  if (place) show(...place);
                }}
              >
                #{tag.label}
              </button>
              {!readOnly && (
                <button
                  type="button"
                  aria-label={say("tag.remove", { label: tag.label })}
                  onClick={() => transcript.untag(tag.id)}
                >
                  ✕
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {comments.length === 0 && <p className="nothing">{say("comment.none")}</p>}
      {comments.map((comment) => (
        <Thread key={comment.id} comment={comment} {...props} />
      ))}
    </>
  );
}

function Thread({ comment, transcript, readOnly, author, show }: Props & { comment: Comment }) {
  const { say } = useSpeech();
  const [reply, setReply] = useState("");
  return (
    <article className={comment.resolved ? "thread resolved" : "thread"}>
      <button
        type="button"
        className="quote"
        title={say("comment.show")}
        onClick={() => {
          // Where it stands now; it was drawn when it said something else.
          const place = transcript.comments.find(({ id }) => id === comment.id)?.place;
          if (place) show(...place);
        }}
      >
        {comment.quote}
      </button>
      <Said said={comment} />
      {comment.replies.map((each) => (
        <Said key={each.id} said={each} />
      ))}
      {!readOnly && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (reply.trim()) transcript.reply(comment.id, reply.trim(), author);
            setReply("");
          }}
        >
          <input
            value={reply}
            maxLength={MOST_AT_ONCE}
            aria-label={say("comment.reply")}
            placeholder={say("comment.reply")}
            onChange={(event) => setReply(event.target.value)}
          />
          <div className="thread-actions">
            <button
              type="button"
              className="quiet"
              onClick={() => transcript.changeComment(comment.id, { resolved: !comment.resolved })}
            >
              {say(comment.resolved ? "comment.reopen" : "comment.resolve")}
            </button>
            <button
              type="button"
              className="quiet"
              onClick={() => transcript.deleteComment(comment.id)}
            >
              {say("comment.delete")}
            </button>
          </div>
        </form>
      )}
    </article>
  );
}

function Said({ said }: { said: Reply }) {
  const { say, tongue } = useSpeech();
  return (
    <div className="said">
      <p className="by">
        <strong>{said.author || say("speaker.unknown")}</strong> {date(said.createdMs, tongue)}
      </p>
      <p>{said.text}</p>
    </div>
  );
}
