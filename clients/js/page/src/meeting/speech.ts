/**
 * A session, and what is said and done where it could not send everything: in one piece, so that this
 * is there when the network is not.
 */

export { connect } from "trax-client";
export { UnsentSpeech } from "../start/UnsentSpeech";
